"""The types of signature that stand in our notes, and the bytes that each of them signs.

======================  =======================================================================
``0x01`` Ed25519        the text of the note (signed-note)
``0x04`` Ed25519        a witness's: ``cosignature/v1``, the time, the text (tlog-cosignature)
``0x06`` ML-DSA-44      a checkpoint's origin, size and root, with signer and time, in the binary
                        form of tlog-cosignature; it can sign nothing but a checkpoint
``0xff`` ML-DSA-44      any other text, that is a procedure head. signed-note leaves 0xff, followed
                        by a longer name, to types that it does not list
======================  =======================================================================

The key of ``0x06`` and of ``0xff`` is the same; the first bytes of what they sign differ.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Final

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints.errors import NoteRefused
from cryotrail_audit.checkpoints.note import KEY_HASH_BYTES

ED25519: Final = b"\x01"
COSIGNATURE_ED25519: Final = b"\x04"
ML_DSA_44: Final = b"\x06"
TEXT_ML_DSA_44: Final = b"\xffcryotrail/text/v1/ml-dsa-44"

PUBLIC_KEY_BYTES: Final = {ED25519: 32, COSIGNATURE_ED25519: 32, ML_DSA_44: 1312}
"""Length of a public key by the type byte in a verifier key."""

TIMED: Final = (COSIGNATURE_ED25519, ML_DSA_44)
"""Types whose signature begins with the time: big-endian seconds since 1970-01-01T00:00:00Z."""

LARGEST_TIME_S: Final = (1 << 63) - 1

_COSIGNATURE = "cosignature/v1\ntime {time_s}\n"
_SUBTREE = b"subtree/v1\n\x00"
_TEXT = b"cryotrail/text/v1\n"
_COUNT = struct.Struct(">Q")


def key_hash(name: str, kind: bytes, public_key: bytes) -> bytes:
    """What stands before a signature to say which key of a name made it."""
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:KEY_HASH_BYTES]


def message(kind: bytes, name: str, text: str, time_s: int) -> bytes:
    """The bytes that a type signs for a note's text.

    :param name: of the key that signs.
    :param time_s: seconds since 1970-01-01T00:00:00Z; heeded by the timed types only.
    :raises NoteRefused: the type signs checkpoints, and the text is none.
    """
    if kind == ED25519:
        return text.encode()
    if kind == TEXT_ML_DSA_44:
        return _TEXT + text.encode()
    checkpoint = checkpoints.parse(text)
    if kind == COSIGNATURE_ED25519:
        return (_COSIGNATURE.format(time_s=time_s) + text).encode()
    return b"".join(
        (
            _SUBTREE,
            _short(name),
            _COUNT.pack(time_s),
            _short(checkpoint.origin),
            _COUNT.pack(0),
            _COUNT.pack(checkpoint.size),
            checkpoint.root,
        )
    )


def is_checkpoint(text: str) -> bool:
    """Whether a note's text is a checkpoint."""
    try:
        checkpoints.parse(text)
    except NoteRefused:
        return False
    return True


def split_time(kind: bytes, signature: bytes) -> tuple[int, bytes]:
    """The time that a signature carries (0 where its type has none), and the signature proper.

    :raises NoteRefused: a time beyond 2^63 - 1, or no room for one.
    """
    if kind not in TIMED:
        return 0, signature
    if len(signature) < _COUNT.size:
        raise NoteRefused("the signature is too short for its time")
    (time_s,) = _COUNT.unpack_from(signature)
    if time_s > LARGEST_TIME_S:
        raise NoteRefused("the time of the signature is out of range")
    return time_s, signature[_COUNT.size :]


def with_time(kind: bytes, time_s: int, signature: bytes) -> bytes:
    """The opposite of :func:`split_time`."""
    return _COUNT.pack(time_s) + signature if kind in TIMED else signature


def _short(text: str) -> bytes:
    """A text behind one byte with its length, which check_key_name keeps below 256."""
    encoded = text.encode()
    return bytes((len(encoded),)) + encoded
