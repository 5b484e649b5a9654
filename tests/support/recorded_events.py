"""Events put into a real audit store as the recorder would, without Kafka between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from audit_records import OWNER, progress, record

from cryotrail_audit.records import EVENT, AppendOutcome, IncomingBatch, IncomingRecord
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode, frame_single_object
from cryotrail_schemas.events import Event


class EventRecorder:
    """Records events of one outbox in one partition of a store."""

    def __init__(
        self, store: AuditStore, producer_id: str = "outbox-1", first_offset: int = 0
    ) -> None:
        self.store = store
        self._producer_id = producer_id
        self._topic_id = store.register_topic("test-cluster", UUID(int=0x5EED), "procedure-events")
        self._epoch = store.claim(OWNER, self._topic_id, [0])[0]
        self._offset = first_offset
        self._procedure_seqs: dict[bytes, int] = defaultdict(int)
        self._schemas: dict[str, bytes] = {}

    def record(self, *events: Event) -> AppendOutcome:
        """Append events in one batch, in the order given."""
        return self.append([(EVENT, self.incoming(event)) for event in events])

    def record_all(self, events: Iterable[Event], batch: int = 5000) -> None:
        """Append many events in batches."""
        listed = list(events)
        for first in range(0, len(listed), batch):
            self.record(*listed[first : first + batch])

    def append(self, records: Sequence[tuple[int, IncomingRecord]]) -> AppendOutcome:
        """Append records of any kind in one batch."""
        moved = progress([item for _, item in records], self._epoch)
        return self.store.append(IncomingBatch(records, [moved], (), OWNER))

    def incoming(self, event: Event, **columns: Any) -> IncomingRecord:
        """The next record of this outbox: the event, framed and numbered."""
        event_type = catalog().current(type(event).TYPE)
        body = encode(event)
        if event_type.name not in self._schemas:
            self._schemas[event_type.name] = self.store.register_schema(
                event_type.text, event_type.fingerprint, event_type.name, event_type.version
            )
        header = event.header
        procedure_id = header.procedure_id.bytes
        self._procedure_seqs[procedure_id] += 1
        self._offset += 1
        said: dict[str, Any] = {
            "event_id": header.event_id.bytes,
            "event_type": event_type.name,
            "procedure_id": procedure_id,
            "occurred_us": round(header.occurred_at.timestamp() * 1_000_000),
            "producer_id": self._producer_id,
            "producer_seq": self._offset,
            "procedure_seq": self._procedure_seqs[procedure_id],
            "topic_id": self._topic_id,
            "kafka_key": str(header.procedure_id).encode(),
            "schema_sha256": self._schemas[event_type.name],
            "raw": frame_single_object(event_type, body),
            "content_hash": sha256(body).digest(),
        }
        return record(self._offset - 1, **(said | columns))
