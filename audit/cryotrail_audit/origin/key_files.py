"""Reading the public half of a producer's key, as its holder hands it over."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from cryotrail_audit.errors import AuditError


class KeyRefused(AuditError):
    """What should be a producer's public key is none, or cannot be registered or revoked."""


def read_public_key(path: Path) -> bytes:
    """The raw 32 bytes of the Ed25519 public key in a PEM file.

    :raises KeyRefused: it cannot be read, is another kind of key, or a private one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KeyRefused(f"cannot read the key {path}: {error.strerror}") from error
    if b"PRIVATE KEY" in data:
        raise KeyRefused(
            f"{path} holds a private key, which belongs to its holder alone",
            hint="name the public half, as `cryotrail outbox key create FILE` writes to FILE.pub",
        )
    try:
        public_key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        public_key = None
    if not isinstance(public_key, Ed25519PublicKey):
        raise KeyRefused(
            f"{path} is no Ed25519 public key in PEM",
            hint="`cryotrail outbox key create FILE` writes one to FILE.pub",
        )
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
