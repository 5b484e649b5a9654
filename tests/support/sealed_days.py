"""A procedure as a signing room published it, and records that no room did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from room_events import SOURCE, chunk, freeze, header
from signing_rooms import key, room
from waiting import until

from cryotrail_producers.encoding import outbox_entry
from cryotrail_producers.seal import SealHeader
from cryotrail_producers.signing import Ed25519Signer
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.codec import parse_frame
from cryotrail_schemas.delivery import kafka_headers, read_delivery
from cryotrail_schemas.events import CorrectionReason, Event, EventVoided

ROOM = key(1)
STRANGER = key(2)


class Day:
    """A procedure as its room published it: three events, two chunks, the seal, a correction."""

    def __init__(
        self,
        folder: Path,
        signer: Ed25519Signer | None = ROOM,
        device: str = "",
        procedure_id: UUID | None = None,
    ) -> None:
        self.procedure_id = procedure_id or uuid4()
        self.clinical = [freeze(self.procedure_id, cycle_no) for cycle_no in (1, 2, 3)]
        self.chunks = [chunk(self.procedure_id), chunk(self.procedure_id)]
        self.void = self.void_of(self.clinical[0], device)
        transport = MemoryTransport()
        with room(folder / f"{self.procedure_id}.sqlite3", transport, signer) as publisher:
            publisher.publish_many([*self.clinical, *self.chunks])
            self.seal_id = publisher.seal(self.procedure_id, SealHeader(device_id=device or None))
            publisher.publish(self.void)
            until(lambda: publisher.status().waiting == 0)
        self.sent = transport.records

    def void_of(self, target: Event, device: str = "") -> EventVoided:
        return EventVoided(
            header=replace(header(self.procedure_id), device_id=device or None),
            target_event_id=target.header.event_id,
            reason=CorrectionReason.ENTERED_IN_ERROR,
        )

    def of(self, event_id: UUID) -> OutgoingRecord:
        """The record of an event."""
        (found,) = [r for r in self.sent if read_delivery(r.headers).event_id == str(event_id)]
        return found

    def without(self, *event_ids: UUID) -> list[OutgoingRecord]:
        left_out = [self.of(event_id) for event_id in event_ids]
        return [record for record in self.sent if record not in left_out]

    def producer_id(self, event: Event) -> str:
        producer_id = read_delivery(self.of(event.header.event_id).headers).producer_id
        assert producer_id is not None
        return producer_id


def forged(
    event: Event,
    producer_id: str | None = None,
    procedure_seq: int | None = None,
    signer: Ed25519Signer | None = None,
    signed_body: bytes | None = None,
) -> OutgoingRecord:
    """A record that no outbox sent."""
    entry = outbox_entry(event, SOURCE)
    body = signed_body or parse_frame(entry.value).body
    return OutgoingRecord(
        entry.topic,
        str(entry.procedure_id).encode(),
        entry.value,
        kafka_headers(
            entry.event_type,
            entry.event_id,
            SOURCE,
            event.header.occurred_at,
            producer_id,
            procedure_seq,
            procedure_seq,
            signing_key_id=None if signer is None else signer.key_id,
            signature=None if signer is None else signer.sign(body),
        ),
    )
