"""Moving the recorder's positions: where to, what that passes over, and whether it can be done.

Back, the recorder reads again and finds everything known. Forth, it leaves records unread, which
has to be said. Either way only within the log that was recorded: a position in another log would
hide that the first one is lost.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import uuid4

from cryotrail_audit.records import RESET_OWNER, Position, PositionReset
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import NOTHING_RECORDED, TopicPartition, record_hash
from cryotrail_consumers.errors import LogDamaged, ResetRefused
from cryotrail_consumers.reading.source import Extent, LogReader, TopicSighting
from cryotrail_consumers.recording.continuity import TOPIC_REPLACED, continuation, is_replaced
from cryotrail_consumers.recording.rereading import stored_record_hash
from cryotrail_producers.personal_cipher import RecordCipher

_KNOWN_AT_ONCE: Final = 50_000
_LOOK_BACK: Final = (1, 1000, sys.maxsize)
"""How many offsets before a position are searched for the record that it stands behind."""


class Target(NamedTuple):
    """Where positions are to go: one of an offset, a time, or the log's start (neither)."""

    offset: int | None = None
    timestamp_ms: int | None = None
    """The first record of this time or a later one, by Kafka's timestamps; else the log's end."""


@dataclass(frozen=True, slots=True)
class PlannedReset:
    """What a reset does to one partition."""

    partition: TopicPartition
    position: Position | None
    """As it stands; None = never read."""
    extent: Extent
    """What Kafka holds."""
    from_offset: int
    to_offset: int
    clamped_from: int | None
    """What was asked for, where the log that was recorded begins above it."""
    unread_count: int
    """Offsets that are passed over and at which nothing is recorded."""
    last_record_hash: bytes

    @property
    def moves(self) -> bool:
        """Whether anything changes."""
        return self.to_offset != self.from_offset

    @property
    def reread_count(self) -> int:
        """Offsets that are read again."""
        return max(0, self.from_offset - self.to_offset)


def plan_resets(
    store: AuditStore,
    reader: LogReader,
    cluster_id: str,
    topics: Mapping[str, TopicSighting],
    partitions: Sequence[TopicPartition],
    target: Target,
    cipher: RecordCipher | None = None,
) -> list[PlannedReset]:
    """Where each partition would go; nothing is changed.

    :param cipher: opens sealed quarantined records, to compare them with what Kafka holds.
    :raises ResetRefused: an offset behind the log's end, or a log that is not the one recorded.
    :raises LogDamaged: where it stands now, and the reset does not lead past that.
    :raises SourceInterrupted: Kafka could not be read; retriable.
    """
    extents = reader.extents(partitions)
    at_time: Mapping[TopicPartition, int | None] = {}
    if target.timestamp_ms is not None:
        at_time = reader.offsets_at(partitions, target.timestamp_ms)
    planned = []
    for partition in partitions:
        extent = extents[partition]
        asked = extent.start if target.offset is None else target.offset
        if target.timestamp_ms is not None:
            found = at_time.get(partition)
            asked = extent.end if found is None else found
        if asked > extent.end:
            raise ResetRefused(
                f"{partition} ends at {extent.end}: there is no offset {asked} yet",
                hint="give an offset that Kafka holds, or the end itself",
            )
        position = store.position(*partition)
        if position is not None and is_replaced(position, cluster_id, topics[partition.topic]):
            raise _other_log(partition, TOPIC_REPLACED)
        planned.append(_plan(store, reader, partition, extent, position, asked, cipher))
    return planned


def apply_resets(
    store: AuditStore,
    cluster_id: str,
    topics: Mapping[str, TopicSighting],
    planned: Sequence[PlannedReset],
    reason: str | None,
    decided_by: str,
) -> int:
    """Move the positions that are to move, all of them or none; returns the first entry's place.

    :raises PositionMoved: a recorder has gone on since; nothing was moved.
    """
    resets = [
        PositionReset(
            topic_id=store.register_topic(
                cluster_id, topics[one.partition.topic].topic_uuid, one.partition.topic
            ),
            part=one.partition.partition,
            incarnation=0 if one.position is None else one.position.incarnation,
            recorded_offset=None if one.position is None else one.position.next_offset,
            from_offset=one.from_offset,
            to_offset=one.to_offset,
            unread_count=one.unread_count,
            last_record_hash=one.last_record_hash,
        )
        for one in planned
        if one.moves
    ]
    owner = f"{RESET_OWNER}{decided_by}/{uuid4().hex[:8]}"
    return store.reset_positions(resets, owner, reason, decided_by).first_seq


def _plan(
    store: AuditStore,
    reader: LogReader,
    partition: TopicPartition,
    extent: Extent,
    position: Position | None,
    asked: int,
    cipher: RecordCipher | None,
) -> PlannedReset:
    if position is None:
        from_offset = begin = extent.start
    else:
        from_offset = position.next_offset
        begin = max(extent.start, store.incarnation_begin(position))
        try:
            _check_log(store, reader, partition, extent, position, cipher)
        except LogDamaged:
            if asked <= from_offset:
                raise
    to_offset, last_hash = _settled(store, reader, partition, extent, position, max(asked, begin))
    return PlannedReset(
        partition=partition,
        position=position,
        extent=extent,
        from_offset=from_offset,
        to_offset=to_offset,
        clamped_from=asked if asked < begin else None,
        unread_count=_unread_count(store, position, from_offset, to_offset),
        last_record_hash=last_hash,
    )


def _check_log(
    store: AuditStore,
    reader: LogReader,
    partition: TopicPartition,
    extent: Extent,
    position: Position,
    cipher: RecordCipher | None,
) -> None:
    furthest = store.furthest_position(position)
    loss = continuation(furthest, partition, extent, reader, store, cipher).loss
    if loss is not None:
        raise _other_log(partition, loss)


def _other_log(partition: TopicPartition, loss: str) -> ResetRefused:
    return ResetRefused(
        f"the log of {partition} is not the one that was recorded ({loss})",
        hint="run `cryotrail record --until-caught-up` first: it says in the log what is lost",
    )


def _settled(
    store: AuditStore,
    reader: LogReader,
    partition: TopicPartition,
    extent: Extent,
    position: Position | None,
    offset: int,
) -> tuple[int, bytes]:
    """The offset behind the last record before ``offset``, and that record's hash.

    A log is recognised by the record before the position. Where marks of transactions stand there,
    the position goes down to the record before them; nothing is between the two.
    """
    below = offset
    for look_back in _LOOK_BACK:
        first = max(extent.start, offset - look_back)
        if first >= below:
            break
        last = None
        try:
            for last in reader.records(partition, Extent(first, below)):  # noqa: B007  the last
                pass
        except LogDamaged:
            return offset, NOTHING_RECORDED
        if last is not None:
            if position is None:
                return last.offset + 1, record_hash(last.key, last.value)
            place = (position.topic_id, position.part)
            return last.offset + 1, stored_record_hash(store, *place, last)
        below = first
    return extent.start, NOTHING_RECORDED


def _unread_count(
    store: AuditStore, position: Position | None, from_offset: int, to_offset: int
) -> int:
    if to_offset <= from_offset:
        return 0
    if position is None:
        return to_offset - from_offset
    known = 0
    for first in range(from_offset, to_offset, _KNOWN_AT_ONCE):
        last = min(first + _KNOWN_AT_ONCE, to_offset) - 1
        known += len(
            store.known_offsets(position.topic_id, position.part, position.incarnation, first, last)
        )
    return to_offset - from_offset - known
