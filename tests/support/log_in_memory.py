"""A topic in memory behind the recorder's port: for histories of more steps than a broker allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from uuid import uuid4

from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.stored_record import StoredRecord
from cryotrail_consumers.reading.source import Assignment, Extent, TopicSighting

CLUSTER = "in-memory"


class LogInMemory:
    """A topic of a few partitions; an offset may hold no record, as at the mark of a transaction."""

    def __init__(self, partition_count: int) -> None:
        self.name = f"topic-{uuid4().hex[:8]}"
        self.partitions = [TopicPartition(self.name, part) for part in range(partition_count)]
        self.logs: dict[TopicPartition, list[StoredRecord | None]] = {
            partition: [] for partition in self.partitions
        }
        self.topics = {self.name: TopicSighting(uuid4(), dict.fromkeys(range(partition_count), 0))}

    def add(self, partition: TopicPartition, key: bytes | None, value: bytes | None) -> None:
        """Write a record behind the last."""
        log = self.logs[partition]
        log.append(StoredRecord(len(log), -1, key, value, ()))

    def add_mark(self, partition: TopicPartition) -> None:
        """Write what no reader is given."""
        self.logs[partition].append(None)

    def offsets(self, partition: TopicPartition, below: int) -> list[int]:
        """Where there are records."""
        return [one.offset for one in self.logs[partition][:below] if one is not None]


class LogReaderInMemory:
    """See :class:`~cryotrail_consumers.reading.source.LogReader`."""

    def __init__(self, log: LogInMemory) -> None:
        self._log = log

    def extents(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Extent]:
        return {one: Extent(0, len(self._log.logs[one])) for one in partitions}

    def offsets_at(
        self, partitions: Collection[TopicPartition], timestamp_ms: int
    ) -> Mapping[TopicPartition, int | None]:
        return dict.fromkeys(partitions)

    def records(self, partition: TopicPartition, extent: Extent) -> Iterator[StoredRecord]:
        log = self._log.logs[partition][extent.start : extent.end]
        return iter([one for one in log if one is not None])


class SourceInMemory:
    """See :class:`~cryotrail_consumers.reading.source.RecordSource`; polls a few records at a time."""

    cluster_id = CLUSTER
    is_shared = False

    def __init__(self, log: LogInMemory, batch_records: int) -> None:
        self.topics = log.topics
        self._log, self._batch_records = log, batch_records
        self._positions: dict[TopicPartition, int] = {}

    def assignment(self) -> Assignment:
        return Assignment(1, frozenset(self._log.partitions))

    def reader(self) -> AbstractContextManager[LogReaderInMemory]:
        return nullcontext(LogReaderInMemory(self._log))

    def confirm(self) -> None:
        """Nothing becomes another log here."""

    def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._positions |= offsets

    def hold(self) -> None:
        self._positions.clear()

    def hold_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        for partition in offsets:
            self._positions.pop(partition, None)

    def poll(self, timeout_s: float) -> Mapping[TopicPartition, Sequence[StoredRecord]]:
        polled = {}
        for partition, position in self._positions.items():
            end = min(position + self._batch_records, len(self._log.logs[partition]))
            self._positions[partition] = max(position, end)
            records = [one for one in self._log.logs[partition][position:end] if one is not None]
            if records:
                polled[partition] = records
        return polled

    def ends(self) -> Mapping[TopicPartition, int]:
        return {partition: len(log) for partition, log in self._log.logs.items()}

    def positions(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {one: at for one, at in self._positions.items() if one in partitions}

    def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._positions.get(one, end) >= end for one, end in ends.items())

    def confirm_membership(self) -> None:
        """There is no group."""

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Nothing is open."""
