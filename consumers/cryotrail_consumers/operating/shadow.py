"""A shadow of the store: all that Kafka holds recorded once more, by the same code, and compared.

Reconciliation compares bytes with bytes. The shadow goes the whole way instead: framing, schema,
decoding, checks, redeliveries, quarantine. So it shows whether what this program makes of Kafka
today is what stands in the store: per partition the same offsets with the same content hashes.
The real store is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cryotrail_audit.origin.kafka_records import KafkaRecords, RecordedCopy
from cryotrail_audit.records import (
    QUARANTINED,
    RESET_OWNER,
    Position,
    PositionReset,
    Skip,
    StoredSchema,
)
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import NOTHING_RECORDED, TopicPartition
from cryotrail_consumers.decoding.known_schemas import SchemaStore
from cryotrail_consumers.decoding.sealing import compared_value
from cryotrail_consumers.operating.compared_partition import BLOCK_OFFSETS, ComparedPartition
from cryotrail_consumers.reading.source import Extent, TopicSighting
from cryotrail_consumers.recording.continuity import is_replaced
from cryotrail_producers.personal_cipher import RecordCipher

What = Literal["missing in store", "only in store", "other content", "unreadable now"]


@dataclass(slots=True, kw_only=True)
class PartitionShadow(ComparedPartition):
    """One partition, compared. ``equal``: the content hashes are, or the bytes of what was sealed."""

    incarnation: int | None
    """The life of the log that Kafka holds; None = the store has nothing of the partition."""
    compared_below: int
    """How far the real store had been recorded when the shadow was begun."""
    trimmed: int = 0
    """Recorded offsets that Kafka holds no more, below the beginning of its log."""
    earlier_lives: int = 0
    """Recorded offsets of an earlier incarnation, whose records a cut tail took from Kafka."""
    readable_now: int = 0
    """Quarantined records that could be read today: `cryotrail audit quarantine replay`."""


class ShadowSchemas:
    """The real store's schemas to look in, and the shadow's to add to: the real one is only read."""

    def __init__(self, real: SchemaStore, shadow: SchemaStore) -> None:
        self._real, self._shadow = real, shadow

    def schemas(self) -> Mapping[bytes, StoredSchema]:
        """See :meth:`AuditStore.schemas`."""
        return self._real.schemas()

    def register_schema(
        self, text: str, fingerprint: bytes, event_type: str, version: int | None
    ) -> bytes:
        """See :meth:`AuditStore.register_schema`."""
        return self._shadow.register_schema(text, fingerprint, event_type, version)


def begin_where_kafka_begins(
    shadow: AuditStore,
    cluster_id: str,
    topics: Mapping[str, TopicSighting],
    extents: Mapping[TopicPartition, Extent],
) -> None:
    """Place the positions of an empty shadow at the start of each log.

    To a recorder that begins, records deleted before its time are lost ones, and it says so; here
    they are simply not compared.
    """
    resets = [
        PositionReset(
            topic_id=shadow.register_topic(
                cluster_id, topics[partition.topic].topic_uuid, partition.topic
            ),
            part=partition.partition,
            incarnation=0,
            recorded_offset=None,
            from_offset=extent.start,
            to_offset=extent.start,
            unread_count=0,
            last_record_hash=NOTHING_RECORDED,
        )
        for partition, extent in extents.items()
        if extent.start
    ]
    if resets:
        shadow.reset_positions(resets, f"{RESET_OWNER}shadow", "Kafka's log begins here", "shadow")


def compare_shadow(
    real: KafkaRecords,
    shadow: KafkaRecords,
    cluster_id: str,
    topics: Mapping[str, TopicSighting],
    positions: Mapping[TopicPartition, Position],
    extents: Mapping[TopicPartition, Extent],
    ciphers: tuple[RecordCipher | None, RecordCipher | None] = (None, None),
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[PartitionShadow]:
    """Compare each partition that Kafka has, in blocks of offsets.

    :param positions: how far the real store had been recorded when the shadow was begun; what came
        later is not compared.
    :param extents: what Kafka holds now that the shadow is recorded.
    :param ciphers: what opens sealed records of the real store, and of the shadow.
    :param advance: told how many offsets were looked at.
    """
    twins = {
        TopicPartition(topic, twin.part): twin
        for topic in topics
        for twin in shadow.positions(topic)
    }
    for partition, extent in extents.items():
        position = positions.get(partition)
        found = PartitionShadow(
            topic=partition.topic,
            partition=partition.partition,
            kafka_from=extent.start,
            incarnation=None if position is None else position.incarnation,
            compared_below=0 if position is None else position.next_offset,
        )
        if position is not None:
            found.topic_replaced = is_replaced(position, cluster_id, topics[partition.topic])
            if not found.topic_replaced:
                found.trimmed = real.count_before(position.topic_id, position.part, extent.start)
                twin = twins.get(partition)
                _compare(found, position, twin, real, shadow, ciphers, advance)
        yield found


def _compare(
    found: PartitionShadow,
    position: Position,
    twin: Position | None,
    real: KafkaRecords,
    shadow: KafkaRecords,
    ciphers: tuple[RecordCipher | None, RecordCipher | None],
    advance: Callable[[int], None],
) -> None:
    skips = real.skips(position)
    for first in range(found.kafka_from, found.compared_below, BLOCK_OFFSETS):
        below = min(first + BLOCK_OFFSETS, found.compared_below)
        stored = real.within(position.topic_id, position.part, first, below - 1)
        again = {} if twin is None else shadow.within(twin.topic_id, twin.part, first, below - 1)
        for offset in sorted(stored.keys() | again.keys()):
            copies = stored.get(offset), again.get(offset)
            _compare_one(found, offset, copies, skips, ciphers)
        advance(below - first)


def _compare_one(
    found: PartitionShadow,
    offset: int,
    copies: tuple[RecordedCopy | None, RecordedCopy | None],
    skips: list[Skip],
    ciphers: tuple[RecordCipher | None, RecordCipher | None],
) -> None:
    stored, again = copies
    is_of_this_life = stored is not None and stored.incarnation == found.incarnation
    if again is not None and not is_of_this_life and any(skip.covers(offset) for skip in skips):
        found.skipped += 1
    elif stored is None:
        found.differ(offset, "missing in store", None)
    elif again is None:
        if is_of_this_life:
            found.differ(offset, "only in store", stored.seq)
        else:
            found.earlier_lives += 1
    elif stored.content_hash == again.content_hash:
        found.equal += 1
    else:
        _compare_readings(found, stored, again, ciphers)


def _compare_readings(
    found: PartitionShadow,
    stored: RecordedCopy,
    again: RecordedCopy,
    ciphers: tuple[RecordCipher | None, RecordCipher | None],
) -> None:
    """Two copies of other content hashes: one of them is quarantined, or they are other records."""
    ours, theirs = ciphers
    value = again.raw if theirs is None else theirs.open(again.raw)
    same_value = compared_value(stored.raw, value, ours)
    if same_value is None:
        found.not_comparable += 1
    elif not same_value:
        found.differ(stored.kafka_offset, "other content", stored.seq)
    elif stored.kind == again.kind == QUARANTINED:
        found.equal += 1
    elif stored.kind == QUARANTINED:
        found.readable_now += 1
    else:
        what: What = "unreadable now" if again.kind == QUARANTINED else "other content"
        found.differ(stored.kafka_offset, what, stored.seq)
