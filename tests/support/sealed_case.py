"""A small procedure by hand, sealed and signed by its producer, recorded without Kafka."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from handmade_case import START, Case
from recorded_events import EventRecorder

from cryotrail_audit.records import (
    EVENT,
    QUARANTINED,
    Administrative,
    IncomingBatch,
    IncomingRecord,
)
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import (
    Channel,
    DataOrigin,
    Event,
    PatientDischarged,
    ProbeTelemetryChunk,
    ProcedureEnded,
    ProcedureSealed,
    SampleQuality,
    VitalStatusUpdated,
)
from cryotrail_schemas.merkle import leaf_hash, root
from cryotrail_schemas.signing import event_preimage, signing_key_id

PRODUCER = "outbox-1"
HOLDER = "room 2 console"


class SealedCase:
    """Events of one procedure, and the key that signs what must be signed."""

    def __init__(self, number: int = 1) -> None:
        self.case = Case(number, data_origin=DataOrigin.SYNTHETIC)
        self.procedure_id = self.case.procedure_id
        self.private_key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.public_key = self.private_key.public_key().public_bytes_raw()
        chunk: dict[str, Any] = {
            "channel": Channel.TIP_TEMPERATURE_CEL,
            "probe_id": "1",
            "period_ms": 1000,
            "quality": SampleQuality.SIMULATED,
        }
        case = self.case
        self.day: list[Event] = [
            case.scheduled(),
            *case.cycle("1", 1, 10),
            case.at(ProbeTelemetryChunk, 10, values=(20.5, None, -40.25), **chunk),
            case.at(ProbeTelemetryChunk, 11, values=(-60.0,), **chunk),
            case.at(ProcedureEnded, 90),
        ]
        self.after: list[Event] = [
            case.at(
                VitalStatusUpdated,
                60 * 24 * 30,
                last_contact_on=(START + timedelta(days=30)).date(),
            ),
            case.amend(self.day[1], "/cycle_no", 2, checked=True),
        ]

    def seal(self, events: Sequence[Event] | None = None) -> ProcedureSealed:
        """The seal over these events; the procedure day when left out."""
        covered = sorted(self.day if events is None else events, key=lambda e: e.header.event_id)
        chunks = sum(isinstance(event, ProbeTelemetryChunk) for event in covered)
        return self.case.at(
            ProcedureSealed,
            120,
            sealed_producer_ids=(PRODUCER,),
            event_count=len(covered) - chunks,
            telemetry_chunk_count=chunks,
            content_root=root(leaf_hash(sha256(encode(event)).digest()) for event in covered),
        )

    def statement(self, **changes: Any) -> dict[str, Any]:
        """What the log says of the producer's key."""
        return {
            "statement": "registered",
            "key_id": signing_key_id(self.public_key).hex(),
            "algorithm": "Ed25519",
            "public_key": b64encode(self.public_key).decode(),
            "holder": HOLDER,
            "device_ids": None,
            "valid_from": "2020-01-01T00:00:00Z",
            "valid_until": None,
            "reason": None,
        } | changes

    def signed(self, recorder: EventRecorder, event: Event, **columns: Any) -> IncomingRecord:
        """An event signed singly, as the recorder hands it over."""
        said = {
            "signing_key_id": signing_key_id(self.public_key),
            "signature": self.private_key.sign(event_preimage(encode(event))),
        }
        return recorder.incoming(event, **(said | columns))


def say_key(store: AuditStore, statement: dict[str, Any]) -> None:
    """Append a statement about a key to the log."""
    store.append(IncomingBatch((), (), [Administrative("key", statement)], owner=""))


def record_sealed(store: AuditStore, number: int = 1) -> SealedCase:
    """Record a sealed procedure with all that a bundle may hold.

    Telemetry, a signed seal, signed after-care and correction by another outbox, a conflict, a
    quarantined record, and another procedure's entries in between.
    """
    sealed = SealedCase(number)
    say_key(store, sealed.statement())
    recorder = EventRecorder(store, PRODUCER)
    other = Case(number + 100)
    recorder.record(*sealed.day[:3], other.scheduled(), *sealed.day[3:])
    later = {"producer_id": "outbox-2"}
    signed = [sealed.signed(recorder, sealed.seal())]
    signed += [sealed.signed(recorder, event, **later) for event in sealed.after]
    recorder.append([(EVENT, record) for record in signed])
    # The id of an event again, with other content, and bytes that nobody can read.
    conflicting = replace(sealed.day[-1], header=replace(sealed.day[-1].header, device_id="other"))
    recorder.append([(EVENT, recorder.incoming(conflicting, **later))])
    unreadable = recorder.incoming(sealed.case.at(PatientDischarged, 100))
    broken = unreadable._replace(
        event_id=sha256(b"unreadable").digest()[:16],
        event_type=None,
        occurred_us=None,
        schema_sha256=None,
        reason="truncated",
        raw=unreadable.raw[:20] if unreadable.raw else None,
    )
    broken = broken._replace(content_hash=sha256(broken.raw or b"").digest())
    recorder.append([(QUARANTINED, broken)])
    return sealed
