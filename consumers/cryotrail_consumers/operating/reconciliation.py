"""Reconciliation: what the store recorded from Kafka beside what Kafka still holds, byte by byte.

That an offset exists shows little: after a cut tail was written on, the same offsets hold other
records. So key, value and headers are compared. And each record that Kafka holds below the recorded
position must be in the store, else it was passed over or taken out. Offsets that Kafka does not give
either (marks of transactions, aborted records) are nobody's.

Only what Kafka retains can be compared: the retention start is part of the answer. A record that an
operator's reset left unread is no difference: an entry of the log says who left it and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cryotrail_audit.origin.kafka_records import KafkaRecords, RecordedCopy
from cryotrail_audit.records import Position
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.headers import pack_headers
from cryotrail_consumers.decoding.sealing import compared_value
from cryotrail_consumers.operating.compared_partition import BLOCK_OFFSETS, ComparedPartition
from cryotrail_consumers.reading.source import Extent, LogReader, SourceRecord, TopicSighting
from cryotrail_consumers.recording.continuity import is_replaced
from cryotrail_producers.personal_cipher import RecordCipher

What = Literal["missing in Kafka", "not recorded", "other key", "other value", "other headers"]


@dataclass(slots=True, kw_only=True)
class PartitionReconciliation(ComparedPartition):
    """One partition, compared. ``equal``: Kafka holds the same bytes at these offsets."""

    recorded_below: int
    """Everything below this offset is recorded; 0 = nothing was, yet."""
    kafka_below: int
    not_retained: int = 0
    """Recorded offsets before ``kafka_from``."""
    redeliveries: int = 0
    """Of the equal ones the copies, of which the store keeps the value alone."""
    without_record: int = 0
    """Offsets that neither has: marks of transactions, and what was aborted."""

    @property
    def agrees(self) -> bool:
        """Whether Kafka holds what was recorded, and everything that it held was recorded."""
        return not (self.difference_count or self.topic_replaced or self.deleted_unrecorded)

    @property
    def deleted_unrecorded(self) -> int:
        """Offsets that Kafka deleted before the recorder had reached them: they are lost."""
        return 0 if self.topic_replaced else max(0, self.kafka_from - self.recorded_below)

    @property
    def not_yet_recorded(self) -> int:
        """Offsets in Kafka that the recorder has not reached."""
        return max(0, self.kafka_below - max(self.recorded_below, self.kafka_from))


def reconcile(
    records: KafkaRecords,
    reader: LogReader,
    cluster_id: str,
    topics: Mapping[str, TopicSighting],
    cipher: RecordCipher | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[PartitionReconciliation]:
    """Compare each partition of these topics, as they are in the cluster now.

    :param cipher: opens sealed quarantined records; of one that it cannot open the value is not
        compared.
    :param advance: told how many offsets were looked at.
    :raises SourceInterrupted: Kafka could not be read; retriable.
    :raises LogDamaged: a batch of a log fails its checksum.
    """
    for topic, sighting in topics.items():
        positions = {position.part: position for position in records.positions(topic)}
        partitions = [TopicPartition(topic, part) for part in sorted(sighting.leader_epochs)]
        extents = reader.extents(partitions)
        for partition in partitions:
            position = positions.get(partition.partition)
            found = _begin(partition, extents[partition], position)
            if position is not None:
                found.topic_replaced = is_replaced(position, cluster_id, sighting)
                if not found.topic_replaced:
                    _compare(found, position, records, reader, cipher, advance)
            yield found


def offsets_to_compare(
    records: KafkaRecords, reader: LogReader, topics: Mapping[str, TopicSighting]
) -> int:
    """How many offsets :func:`reconcile` will look at, for a progress bar."""
    total = 0
    for topic, sighting in topics.items():
        extents = reader.extents([TopicPartition(topic, p) for p in sighting.leader_epochs])
        for position in records.positions(topic):
            extent = extents.get(TopicPartition(topic, position.part))
            total += max(0, position.next_offset - extent.start) if extent else 0
    return total


def _begin(
    partition: TopicPartition, extent: Extent, position: Position | None
) -> PartitionReconciliation:
    recorded_below = 0 if position is None else position.next_offset
    return PartitionReconciliation(
        topic=partition.topic,
        partition=partition.partition,
        recorded_below=recorded_below,
        kafka_from=extent.start,
        kafka_below=extent.end,
    )


def _compare(
    found: PartitionReconciliation,
    position: Position,
    records: KafkaRecords,
    reader: LogReader,
    cipher: RecordCipher | None,
    advance: Callable[[int], None],
) -> None:
    place = (position.topic_id, position.part)
    skips = records.skips(position)
    found.not_retained = records.count_before(*place, found.kafka_from)
    partition = TopicPartition(found.topic, found.partition)
    end = min(found.kafka_below, found.recorded_below)
    read = iter(reader.records(partition, Extent(found.kafka_from, end))) if end else iter(())
    ahead = next(read, None) if found.kafka_from < end else None
    for first in range(found.kafka_from, found.recorded_below, BLOCK_OFFSETS):
        below = min(first + BLOCK_OFFSETS, found.recorded_below)
        stored = dict(records.within(*place, first, below - 1))
        held = 0
        while ahead is not None and ahead.offset < below:
            held += 1
            copy = stored.pop(ahead.offset, None)
            if copy is None and any(skip.covers(ahead.offset) for skip in skips):
                found.skipped += 1
            else:
                _compare_one(found, ahead, copy, cipher)
            ahead = next(read, None)
        for offset, copy in sorted(stored.items()):
            found.differ(offset, "missing in Kafka", copy.seq)
        found.without_record += below - first - held - len(stored)
        advance(below - first)
    found.differences.sort()


def _compare_one(
    found: PartitionReconciliation,
    record: SourceRecord,
    copy: RecordedCopy | None,
    cipher: RecordCipher | None,
) -> None:
    if copy is None:
        found.differ(record.offset, "not recorded", None)
        return
    same_value = compared_value(copy.raw, record.value, cipher)
    what = _difference(record, copy, same_value)
    if what is not None:
        found.differ(record.offset, what, copy.seq)
    elif same_value is None:
        found.not_comparable += 1
    else:
        found.equal += 1
        found.redeliveries += copy.is_redelivery


def _difference(record: SourceRecord, copy: RecordedCopy, same_value: bool | None) -> What | None:
    if same_value is False:
        return "other value"
    if copy.is_redelivery:
        return None
    if copy.kafka_key != record.key:
        return "other key"
    if copy.kafka_headers != pack_headers(record.headers, any_name=True):
        return "other headers"
    return None
