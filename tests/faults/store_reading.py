"""What a store and a cluster hold, as the account wants it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple
from uuid import UUID

from kafka import TopicPartition

from cryotrail_audit.decoded import decoded_event
from cryotrail_audit.records import CONFLICT, EVENT, QUARANTINED, Entry
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_producers.kafka_clients import KafkaConnection, consumer
from cryotrail_schemas.events import TelemetryGapReported
from cryotrail_schemas.topics import EVENT_TOPICS, PARTITION_COUNT
from faults.accounting import PoisonRecord, RecordedEvent


class Recorded(NamedTuple):
    """What one store holds."""

    events: list[RecordedEvent]
    """Events and conflicts, in the order of the log."""
    quarantined: list[PoisonRecord]


class HeldRecord(NamedTuple):
    """A record that Kafka holds."""

    topic: str
    partition: int
    offset: int
    event_id: UUID | None
    """By its header; None when it has none, as poison."""


def read_store(url: str) -> Recorded:
    """Everything that was recorded, but for administrative entries."""
    with closing(open_store(url)) as store:
        entries = list(_entries(store))
        topics = store.topics()
    events, quarantined = [], []
    for one in entries:
        assert one.topic_id is not None and one.part is not None and one.kafka_offset is not None
        topic = topics[one.topic_id]
        if one.kind == QUARANTINED:
            place = PoisonRecord(topic.topic_uuid, one.part, one.kafka_offset, one.raw)
            quarantined.append(place)
            continue
        assert one.procedure_id is not None
        events.append(
            RecordedEvent(
                one.kind,
                one.event_type,
                UUID(bytes=one.event_id),
                one.content_hash,
                topic.name,
                UUID(bytes=one.procedure_id),
                one.producer_id,
                one.procedure_seq,
            )
        )
    return Recorded(events, quarantined)


def reported_lost_samples(url: str) -> int:
    """How many samples of telemetry all recorded reports together say are lost."""
    with closing(open_store(url)) as store:
        schemas = store.schemas()
        reports = [
            decoded_event(entry, schemas)
            for entry in _entries(store)
            if entry.event_type == TelemetryGapReported.TYPE
        ]
    return sum(report["lost_sample_count"] for report in reports if report is not None)


def _entries(store: AuditStore) -> Iterator[Entry]:
    for rows in store.entries(kinds=(EVENT, CONFLICT, QUARANTINED)):
        yield from rows


def log_ends(connection: KafkaConnection) -> dict[tuple[str, int], int]:
    """Of each partition the offset that its next record gets."""
    with closing(consumer(connection)) as client:
        ends = client.end_offsets(_partitions())
    return {(one.topic, one.partition): end for one, end in ends.items()}


def positions(url: str) -> dict[tuple[str, int], int]:
    """Of each partition the offset at which its recorder goes on."""
    with closing(open_store(url)) as store:
        found = {(t, p): store.position(t, p) for t in EVENT_TOPICS for p in range(PARTITION_COUNT)}
    return {key: 0 if position is None else position.next_offset for key, position in found.items()}


def held_records(connection: KafkaConnection, timeout_s: float = 60.0) -> list[HeldRecord]:
    """Every record of both topics, up to their ends."""
    held: list[HeldRecord] = []
    with closing(consumer(connection)) as client:
        client.assign(_partitions())
        client.seek_to_beginning(*_partitions())
        ends = client.end_offsets(_partitions())
        deadline = time.monotonic() + timeout_s
        while any(client.position(one) < end for one, end in ends.items()):
            assert time.monotonic() < deadline, "the topics could not be read to their ends"
            for partition, records in client.poll(timeout_ms=500).items():
                held += (_held(partition, record) for record in records)
    return held


def _held(partition: TopicPartition, record: object) -> HeldRecord:
    headers: Sequence[tuple[str, bytes]] = record.headers  # type: ignore[attr-defined]
    ids = [value.decode() for name, value in headers if name == "ce_id"]
    offset: int = record.offset  # type: ignore[attr-defined]
    event_id = UUID(ids[0]) if ids else None
    return HeldRecord(partition.topic, partition.partition, offset, event_id)


def _partitions() -> list[TopicPartition]:
    return [
        TopicPartition(topic, part) for topic in EVENT_TOPICS for part in range(PARTITION_COUNT)
    ]
