"""A producer's signing key: an Ed25519 key in a file that its owner alone may read.

The private key is PKCS#8 in PEM without a passphrase, the public key beside it
SubjectPublicKeyInfo in PEM: what ``openssl genpkey -algorithm ed25519`` writes too. A key in an
HSM needs no file: give the publisher a :class:`~cryotrail_schemas.signing.Signer` of your own.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from cryotrail_producers.errors import SigningKeyRefused
from cryotrail_schemas.signing import event_preimage, signing_key_id

_PUBLIC_PEM = b"-----BEGIN PUBLIC KEY-----"
_FOR_OWNER_ALONE = stat.S_IRUSR | stat.S_IWUSR


class Ed25519Signer:
    """See :class:`~cryotrail_schemas.signing.Signer`, whose contract this keeps."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        """The raw 32 bytes."""
        self.key_id = signing_key_id(self.public_key)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the private key.

        :raises SigningKeyRefused: it cannot be read, is no unencrypted Ed25519 private key in PEM,
            or others than its owner may read it.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read()
        except OSError as error:
            raise _unreadable(path, error) from error
        if _PUBLIC_PEM in data:
            raise _no_key(path)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SigningKeyRefused(
                f"the signing key {path} may be read by others than its owner",
                hint=f"chmod 600 {path}; if anybody else had it, make another and revoke this one",
            )
        try:
            private_key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _no_key(path) from error
        if not isinstance(private_key, Ed25519PrivateKey):
            raise _no_key(path)
        return cls(private_key)

    def sign(self, body: bytes) -> bytes:
        return self._private_key.sign(event_preimage(body))


def key_id_of_file(path: Path) -> bytes:
    """The id of a key from the file of either half.

    :raises SigningKeyRefused: it cannot be read, or is no half of an Ed25519 key in PEM; a private
        half is refused too when others than its owner may read it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if _PUBLIC_PEM not in data:
        return Ed25519Signer.from_file(path).key_id
    try:
        public_key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_public_key(path) from error
    if not isinstance(public_key, Ed25519PublicKey):
        raise _no_public_key(path)
    return signing_key_id(public_key.public_bytes(Encoding.Raw, PublicFormat.Raw))


class KeyFiles(NamedTuple):
    """A key that was made: where its halves are, and what it is called."""

    private: Path
    public: Path
    key_id: bytes


def create_key_files(path: Path) -> KeyFiles:
    """Make a new key: the private half at ``path``, mode 0600, the public one at ``path.pub``.

    :raises SigningKeyRefused: one of the files exists, which is never overwritten, or cannot be
        written.
    """
    private_key = Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    halves = (
        (
            path,
            private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            _FOR_OWNER_ALONE,
        ),
        (
            public,
            private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            _FOR_OWNER_ALONE | stat.S_IRGRP | stat.S_IROTH,
        ),
    )
    for file, _, _ in halves:
        if file.exists():
            raise SigningKeyRefused(
                f"{file} exists, and keys are never overwritten", hint="name another file"
            )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file, data, mode in halves:
            # The mode from the first moment on, not after the bytes are there.
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(opened, "wb") as written:
                written.write(data)
                written.flush()
                os.fsync(written.fileno())
    except OSError as error:
        raise SigningKeyRefused(f"cannot write {error.filename}: {error.strerror}") from error
    return KeyFiles(path, public, Ed25519Signer(private_key).key_id)


def _unreadable(path: Path, error: OSError) -> SigningKeyRefused:
    return SigningKeyRefused(
        f"cannot read the signing key {path}: {error.strerror}",
        hint="`cryotrail outbox key create FILE` makes one",
    )


def _no_public_key(path: Path) -> SigningKeyRefused:
    return SigningKeyRefused(
        f"{path} is no Ed25519 public key in PEM",
        hint="`cryotrail outbox key create FILE` makes FILE.pub beside FILE",
    )


def _no_key(path: Path) -> SigningKeyRefused:
    return SigningKeyRefused(
        f"{path} is no Ed25519 private key in PEM without a passphrase",
        hint="`cryotrail outbox key create FILE` makes one",
    )
