"""Whether an event was signed, by whom, and whether that key was theirs to sign with then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cryotrail_audit.origin.keys import KeyRegister, KeyStatement
from cryotrail_audit.origin.rows import body_of
from cryotrail_audit.records import Entry, StoredSchema
from cryotrail_schemas.catalog import event_type_of
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.signing import event_preimage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_event_type_of = lru_cache(maxsize=128)(event_type_of)
_MALFORMED: Final = frozenset({"malformed_signature", "malformed_signing_key_id"})


class SignatureState(StrEnum):
    """What a signature is worth, in the order in which they are tried."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    KEY_UNKNOWN = "key unknown"
    WRONG = "signature wrong"
    KEY_REVOKED = "key revoked"
    KEY_NOT_VALID_THEN = "key not valid then"
    OTHER_DEVICE = "other device"
    VALID = "valid"


class Judgement(NamedTuple):
    """What the signature of one entry is worth."""

    seq: int
    kind: int
    event_id: UUID
    event_type: str | None
    state: SignatureState
    key_id: bytes | None
    holder: str | None
    """Who the key is registered for; None when that is unknown."""

    @property
    def is_finding(self) -> bool:
        """Signed, and not validly."""
        return self.state not in (SignatureState.VALID, SignatureState.UNSIGNED)

    def words(self) -> str:
        """For a person: ``signed by CT room 2``, ``origin not proved (unsigned)``, …"""
        match self.state:
            case SignatureState.VALID:
                return f"signed by {self.holder}"
            case SignatureState.UNSIGNED:
                return "origin not proved (unsigned)"
            case state:
                key = f", key {self.key_id.hex()}" if self.key_id else ""
                return f"{state}{key}" + (f" of {self.holder}" if self.holder else "")


def plain_body(entry: Entry, schemas: Mapping[bytes, StoredSchema]) -> dict[str, Any] | None:
    """The plain Avro fields of an entry's body, if it names this event and procedure; else None."""
    body, schema = body_of(entry.raw), schemas.get(entry.schema_sha256 or b"")
    if body is None or schema is None:
        return None
    try:
        plain = decode_plain(body, _event_type_of(schema.text, schema.version))
        header = plain["header"]
        named = (UUID(header["event_id"]).bytes, UUID(header["procedure_id"]).bytes)
    except (CryotrailError, ValueError, KeyError, TypeError):
        return None
    return plain if named == (entry.event_id, entry.procedure_id) else None


def judge(entry: Entry, schemas: Mapping[bytes, StoredSchema], keys: KeyRegister) -> Judgement:
    """Judge the signature of one entry at the time at which it was recorded."""
    state, statement = _judge(entry, schemas, keys)
    return Judgement(
        seq=entry.seq,
        kind=entry.kind,
        event_id=UUID(bytes=entry.event_id),
        event_type=entry.event_type,
        state=state,
        key_id=entry.signing_key_id,
        holder=None if statement is None else statement.holder,
    )


def is_signed(entry: Entry) -> bool:
    """Whether an entry carries a signature, or something in the place of one."""
    return (
        entry.signing_key_id is not None
        or entry.signature is not None
        or not _MALFORMED.isdisjoint((entry.reason or "").split(","))
    )


def _judge(
    entry: Entry, schemas: Mapping[bytes, StoredSchema], keys: KeyRegister
) -> tuple[SignatureState, KeyStatement | None]:
    if not is_signed(entry):
        return SignatureState.UNSIGNED, None
    plain, body = plain_body(entry, schemas), body_of(entry.raw)
    key_id, signature = entry.signing_key_id, entry.signature
    if key_id is None or signature is None or plain is None or body is None:
        return SignatureState.MALFORMED, None
    if not _MALFORMED.isdisjoint((entry.reason or "").split(",")):
        return SignatureState.MALFORMED, None
    statements = keys.of_key(key_id)
    registered = [one for one in statements if one.statement == "registered"]
    if not registered:
        return SignatureState.KEY_UNKNOWN, None
    newest = registered[-1]
    try:
        Ed25519PublicKey.from_public_bytes(newest.public_key).verify(
            signature, event_preimage(body)
        )
    except (InvalidSignature, ValueError):
        return SignatureState.WRONG, newest
    moment = _EPOCH + timedelta(microseconds=entry.recorded_us)
    if any(one.statement == "revoked" and one.valid_from <= moment for one in statements):
        return SignatureState.KEY_REVOKED, newest
    holding = [one for one in registered if one.holds_at(moment)]
    if not holding:
        return SignatureState.KEY_NOT_VALID_THEN, newest
    device_ids = holding[-1].device_ids
    if device_ids is not None and plain["header"].get("device_id") not in device_ids:
        return SignatureState.OTHER_DEVICE, holding[-1]
    return SignatureState.VALID, holding[-1]
