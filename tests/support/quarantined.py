"""Records put into a store as the recorder would, without Kafka: what cannot be read is quarantined."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from audit_records import OWNER

from cryotrail_audit.records import QUARANTINED, Entry, IncomingBatch, PartitionProgress
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import Lineage, record_hash
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.decoding.sealing import with_sealed_quarantine
from cryotrail_consumers.decoding.stored_record import StoredRecord
from cryotrail_consumers.operating.quarantine_replay import QuarantineReplay
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.catalog import EventType, catalog, event_type_of
from cryotrail_schemas.codec import encode
from cryotrail_schemas.delivery import kafka_headers
from cryotrail_schemas.events import Event
from cryotrail_schemas.framing import frame_single_object


class QuietRoom:
    """One partition of one topic of a store, filled through the recorder's own decoding."""

    def __init__(
        self, store: AuditStore, records: RecordCipher | None = None, first_offset: int = 0
    ) -> None:
        self.store = store
        self._records = records
        self._decoder = RecordDecoder(KnownSchemas(store))
        topic_uuid = UUID(int=0x5EED)
        topic_id = store.register_topic("test-cluster", topic_uuid, "procedure-events")
        self._epoch = store.claim(OWNER, topic_id, [0])[0]
        self._lineage = Lineage("test-cluster", topic_uuid, topic_id, 0, 0)
        self._offset = first_offset

    def receive(
        self,
        value: bytes | None,
        key: bytes | None = b"no procedure",
        headers: Sequence[tuple[str, bytes | None]] = (),
    ) -> Entry:
        """Record one value; returns the newest entry."""
        record = StoredRecord(self._offset, 1_790_000_000_000 + self._offset, key, value, headers)
        decoded = self._decoder.decode([record], self._lineage, partition_count=1)
        self._offset += 1
        progress = PartitionProgress(
            self._lineage.topic_id, 0, 0, self._epoch, record.offset, self._offset, 1,
            record_hash(key, value),
        )  # fmt: skip
        sealed = with_sealed_quarantine(decoded, self._records)
        self.store.append(IncomingBatch(sealed, [progress], (), OWNER))
        return self.newest()

    def publish(self, event: Event) -> Entry:
        """Record an event as its outbox would send it."""
        return self.receive(value_of(event), key_of(event), headers_of(event))

    def newest(self) -> Entry:
        """The last entry of the log."""
        return entry_at(self.store, self.store.head().tree_size - 1)


def entry_at(store: AuditStore, seq: int) -> Entry:
    """The entry of a number."""
    ((entry,),) = store.entries(seq - 1, seq)
    return entry


def quarantined(store: AuditStore) -> list[Entry]:
    """All entries in quarantine."""
    return [entry for entries in store.entries(kinds=(QUARANTINED,)) for entry in entries]


def replay_of(store: AuditStore, records: RecordCipher | None = None) -> QuarantineReplay:
    """A replay with what is known now."""
    return QuarantineReplay(store, RecordDecoder(KnownSchemas(store)), records)


def value_of(event: Event) -> bytes:
    """An event's record value."""
    return frame_single_object(catalog().current(event.TYPE), encode(event))


def key_of(event: Event) -> bytes:
    """An event's record key."""
    return str(event.header.procedure_id).encode()


def headers_of(event: Event) -> list[tuple[str, bytes]]:
    """An event's headers, numbered by an outbox and signed."""
    header = event.header
    return kafka_headers(
        event.TYPE, header.event_id, "urn:cryotrail:test", header.occurred_at, "outbox-1", 7, 3,
        signing_key_id=b"12345678", signature=b"s" * 64,
    )  # fmt: skip


def foreign_schema(event: Event) -> EventType:
    """The schema of an event's type as another site has released it, which is not known here."""
    document: dict[str, Any] = json.loads(catalog().current(event.TYPE).text)
    document["name"], document["namespace"] = event.TYPE, "other.site"
    text = json.dumps(document)
    return event_type_of(text)


def foreign_value(event: Event) -> bytes:
    """An event under a schema that is not known here; its fields are those of ours."""
    return frame_single_object(foreign_schema(event), encode(event))
