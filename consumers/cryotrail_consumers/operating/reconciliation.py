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
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from cryotrail_audit.origin.kafka_records import KafkaRecords, RecordedCopy
from cryotrail_audit.records import Position
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.headers import pack_headers
from cryotrail_consumers.decoding.sealing import compared_value
from cryotrail_consumers.reading.source import Extent, LogReader, SourceRecord, TopicSighting
from cryotrail_producers.personal_cipher import RecordCipher

_BLOCK: Final = 2000
_MOST_NAMED: Final = 100

What = Literal["missing in Kafka", "not recorded", "other key", "other value", "other headers"]


class Difference(NamedTuple):
    """One offset at which store and Kafka do not agree."""

    offset: int
    what: What
    seq: int | None
    """The entry, where there is one."""


@dataclass(slots=True)
class PartitionReconciliation:
    """One partition, compared."""

    topic: str
    partition: int
    recorded_below: int
    """Everything below this offset is recorded; 0 = nothing was, yet."""
    kafka_from: int
    """Where Kafka's retention begins: what lies before cannot be compared."""
    kafka_below: int
    topic_replaced: bool = False
    """The topic was made anew since: of what was recorded Kafka holds nothing."""
    not_retained: int = 0
    """Recorded offsets before ``kafka_from``."""
    equal: int = 0
    """Recorded offsets at which Kafka holds the same bytes."""
    redeliveries: int = 0
    """Of those the copies, of which the store keeps the value alone."""
    not_comparable: int = 0
    """Sealed quarantined records whose key is destroyed, or not here."""
    skipped: int = 0
    """Records in Kafka that a reset left unread, as an entry of the log says."""
    without_record: int = 0
    """Offsets that neither has: marks of transactions, and what was aborted."""
    difference_count: int = 0
    differences: list[Difference] = field(default_factory=list)
    """The first of them, by offset."""

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

    def differ(self, offset: int, what: What, seq: int | None) -> None:
        """Note a difference."""
        self.difference_count += 1
        if len(self.differences) < _MOST_NAMED:
            self.differences.append(Difference(offset, what, seq))


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
                same_log = (position.cluster_id, position.topic_uuid) == (
                    cluster_id,
                    sighting.topic_uuid,
                )
                if same_log:
                    _compare(found, position, records, reader, cipher, advance)
                else:
                    found.topic_replaced = True
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
    return PartitionReconciliation(*partition, recorded_below, extent.start, extent.end)


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
    for first in range(found.kafka_from, found.recorded_below, _BLOCK):
        below = min(first + _BLOCK, found.recorded_below)
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
