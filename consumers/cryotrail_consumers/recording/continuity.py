"""Whether a log is still the one that was recorded, and where to go on when it is not.

Kafka's ``seek`` takes an offset and nothing else: in a topic that was re-created, or a log whose
tail was cut off and written anew, it would go on in the midst of other records without an error.
So the record before the position is read again and compared.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryotrail_audit.records import Position
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import NOTHING_RECORDED, TopicPartition, record_hash
from cryotrail_consumers.decoding.sealing import is_same_value
from cryotrail_consumers.reading.source import Extent, LogReader, TopicSighting
from cryotrail_producers.personal_cipher import RecordCipher

TOPIC_REPLACED: Final = "topic_replaced"
"""Loss: the name belongs to another topic now; the one that was recorded is gone."""
TRIMMED_UNRECORDED: Final = "trimmed_unrecorded"
"""Loss: records were deleted at the log's start before they were recorded."""
TAIL_CUT: Final = "tail_cut"
"""Loss: the log ends before the position, so what was recorded there is gone from Kafka."""
TAIL_REWRITTEN: Final = "tail_rewritten"
"""Loss: another record stands before the position; the log was cut, and written on since."""


_COMPARED_AT_ONCE: Final = 2000


class Continuation(NamedTuple):
    """Where to go on in a partition."""

    offset: int
    last_record_hash: bytes
    """Of the record before ``offset``; :data:`NOTHING_RECORDED` when the log has none."""
    loss: str | None
    """Why this is a new incarnation; None = the log goes on as it was recorded."""


def is_replaced(position: Position, cluster_id: str, sighting: TopicSighting) -> bool:
    """Whether a topic is another than the one that was recorded under its name."""
    return (position.cluster_id, position.topic_uuid) != (cluster_id, sighting.topic_uuid)


def first_continuation(extent: Extent) -> Continuation:
    """Where to begin in a partition that was never recorded: at its first record."""
    loss = TRIMMED_UNRECORDED if extent.start > 0 else None
    return Continuation(extent.start, NOTHING_RECORDED, loss)


def continuation(
    position: Position,
    partition: TopicPartition,
    extent: Extent,
    reader: LogReader,
    store: AuditStore,
    records: RecordCipher | None = None,
) -> Continuation:
    """Where to go on after ``position``, recorded from the same topic as ``extent``.

    A log that was trimmed exactly up to the position has nothing left to compare and is accepted:
    that is retention at work, after everything was recorded. So is a position that a reset put
    behind records that cannot be read: none stands before it that could be compared.

    :param records: opens sealed quarantined records, which Kafka holds as they came.
    """
    recorded = position.last_record_hash or NOTHING_RECORDED
    if extent.start > position.next_offset:
        return Continuation(extent.start, NOTHING_RECORDED, TRIMMED_UNRECORDED)
    if extent.start == position.next_offset:
        return Continuation(position.next_offset, recorded, None)
    if extent.end < position.next_offset:
        loss = TAIL_CUT
    elif recorded == NOTHING_RECORDED or _is_last_recorded(
        position, recorded, partition, reader, store, records
    ):
        return Continuation(position.next_offset, recorded, None)
    else:
        loss = TAIL_REWRITTEN
    offset, last_hash = _first_difference(position, partition, extent, reader, store, records)
    return Continuation(offset, last_hash, loss)


def _is_last_recorded(
    position: Position,
    recorded: bytes,
    partition: TopicPartition,
    reader: LogReader,
    store: AuditStore,
    records: RecordCipher | None,
) -> bool:
    """Whether the record before the position is the one that was recorded last."""
    last = position.next_offset - 1
    for record in reader.records(partition, Extent(last, position.next_offset)):
        if record_hash(record.key, record.value) == recorded:
            return True
        stored = store.recorded_at(position.topic_id, position.part, last, last).get(last)
        # Sealed, the store's bytes are others than Kafka's, and the hash is that of the store's.
        return (
            stored is not None
            and record_hash(*stored) == recorded
            and stored[0] == record.key
            and is_same_value(stored[1], record.value, records)
        )
    return False


def _first_difference(
    position: Position,
    partition: TopicPartition,
    extent: Extent,
    reader: LogReader,
    store: AuditStore,
    records: RecordCipher | None,
) -> tuple[int, bytes]:
    """The first offset at which the log holds another record than the store, and the hash before.

    The log is compared from its start: a cut leaves a common beginning, however much was written
    behind it since.
    """
    last_hash = NOTHING_RECORDED
    end = min(extent.end, position.next_offset)
    for first in range(extent.start, end, _COMPARED_AT_ONCE):
        part = Extent(first, min(first + _COMPARED_AT_ONCE, end))
        recorded = store.recorded_at(position.topic_id, position.part, part.start, part.end - 1)
        for record in reader.records(partition, part):
            stored = recorded.get(record.offset)
            if (
                stored is None
                or stored[0] != record.key
                or not is_same_value(stored[1], record.value, records)
            ):
                return record.offset, last_hash
            last_hash = record_hash(*stored)
    return end, last_hash
