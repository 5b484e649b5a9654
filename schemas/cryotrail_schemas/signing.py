"""Singly signed events: what an Ed25519 signature covers, and how its key is named.

A producer signs the seal of a procedure, every amendment and void, and whatever it publishes of
a procedure after its seal. The signature covers the **body** alone, without framing or delivery
numbers: so the same event, sent twice or framed otherwise, carries the same signature, and a
signature says who said it, not how it travelled. The body holds the event's id and procedure, so
a signature cannot be moved to another event.

Pure: which library computes Ed25519 is the business of whoever signs or verifies.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Protocol

EVENT_CONTEXT: Final = b"cryotrail-event-v1\0"
"""Stands before the body, so that no signature over something else can be read as one of these."""

SIGNED_TYPES: Final = frozenset({"ProcedureSealed", "EventAmended", "EventVoided"})
"""Signed singly always; of a sealed procedure everything that is published later is, too."""

ALGORITHM: Final = "Ed25519"
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
KEY_ID_BYTES: Final = 8


def event_preimage(body: bytes) -> bytes:
    """What is signed of an event: the context, then its Avro body without framing."""
    return EVENT_CONTEXT + body


def signing_key_id(public_key: bytes) -> bytes:
    """The 8 bytes that name a key: the beginning of the SHA-256 of its raw 32 bytes.

    :raises ValueError: it is not the 32 raw bytes of an Ed25519 public key.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise ValueError(f"{len(public_key)} bytes are no Ed25519 public key, which has 32")
    return sha256(public_key).digest()[:KEY_ID_BYTES]


class Signer(Protocol):
    """Signs events with one key. Calls may come from any thread."""

    @property
    def key_id(self) -> bytes:
        """:func:`signing_key_id` of its public key."""
        ...

    def sign(self, body: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature over :func:`event_preimage` of ``body``.

        Deterministic: the same body gives the same signature.
        """
        ...
