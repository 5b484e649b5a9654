"""The two signature algorithms, by the type byte of a key: Ed25519 and ML-DSA-44.

ML-DSA-44 signs as FIPS 204 has it by default: the message itself, with an empty context. A private
key is the 32-byte seed that the pair is made from, with both.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from cryotrail_audit.checkpoints.signature_types import COSIGNATURE_ED25519, ED25519, ML_DSA_44

SEED_BYTES: Final = 32

NAMES: Final = {ED25519: "Ed25519", COSIGNATURE_ED25519: "Ed25519", ML_DSA_44: "ML-DSA-44"}


def public_key(kind: bytes, seed: bytes) -> bytes:
    """The public key of a seed, raw."""
    return _private(kind, seed).public_key().public_bytes_raw()


def sign(kind: bytes, seed: bytes, message: bytes) -> bytes:
    """The signature of a message."""
    return _private(kind, seed).sign(message)


def verifies(kind: bytes, public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a raw public key made a signature of a message; False for malformed ones too."""
    try:
        key = (
            MLDSA44PublicKey.from_public_bytes(public)
            if kind == ML_DSA_44
            else Ed25519PublicKey.from_public_bytes(public)
        )
        key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(kind: bytes, seed: bytes) -> MLDSA44PrivateKey | Ed25519PrivateKey:
    if kind == ML_DSA_44:
        return MLDSA44PrivateKey.from_seed_bytes(seed)
    return Ed25519PrivateKey.from_private_bytes(seed)
