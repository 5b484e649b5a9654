"""Where the recorder reads from: a port over one Kafka cluster.

What a record means, what is recorded and where to go on are not in it: positions come from the
audit store alone. The implementation is :mod:`cryotrail_consumers.reading.kafka_source`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol
from uuid import UUID

from cryotrail_consumers.coordinates import TopicPartition


class SourceRecord(Protocol):
    """One record as a client library hands it over, nothing decoded."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z; -1 = the record has none."""
        ...

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class TopicSighting(NamedTuple):
    """What identifies the logs of a topic at one moment.

    A topic that is re-created gets another id; a log loses its tail only when its leader changes
    or restarts, which raises the leader epoch (KIP-101). Records that were read between two equal
    sightings therefore stem from one and the same log.
    """

    topic_uuid: UUID
    leader_epochs: Mapping[int, int]
    """By partition number; its keys are all partitions of the topic."""


class Extent(NamedTuple):
    """The offsets that a partition holds: ``start`` up to but not including ``end``."""

    start: int
    end: int


class Assignment(NamedTuple):
    """The partitions that this process is to read."""

    generation: int
    """Another number whenever the partitions were handed out anew; 0 = not yet."""
    partitions: frozenset[TopicPartition]


class LogReader(Protocol):
    """Looks into logs beside the running consumption, without a position of its own."""

    def extents(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Extent]:
        """First and next offset of each partition; aborted transactions at its end are not in it."""
        ...

    def offsets_at(
        self, partitions: Collection[TopicPartition], timestamp_ms: int
    ) -> Mapping[TopicPartition, int | None]:
        """The first offset of each partition whose record has this time or a later one.

        :param timestamp_ms: milliseconds since 1970-01-01T00:00:00Z.
        :returns: None where no record has.
        """
        ...

    def records(self, partition: TopicPartition, extent: Extent) -> Iterator[SourceRecord]:
        """The records that lie within ``extent``, in offset order."""
        ...


class RecordSource(Protocol):
    """The topics of one cluster, read by one process.

    Any method may raise :class:`SourceInterrupted`; the source is then to be closed and another
    opened, because what it has buffered may stem from a log that is gone.
    """

    @property
    def cluster_id(self) -> str: ...

    @property
    def is_shared(self) -> bool:
        """Whether partitions are handed out among several recorders, hence may move away."""
        ...

    @property
    def topics(self) -> Mapping[str, TopicSighting]:
        """The sighting at opening, by topic name; it holds for all that :meth:`poll` returns."""
        ...

    def assignment(self) -> Assignment:
        """What is to be read now. Partitions of a new generation wait for :meth:`start`."""
        ...

    def reader(self) -> AbstractContextManager[LogReader]:
        """A way to look into the logs, to be closed after use."""
        ...

    def confirm(self) -> None:
        """Return when the topics' sighting still is that of the opening.

        :raises SourceInterrupted: a topic was re-created, or a log may have lost its tail.
        """
        ...

    def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Begin, or begin again, to read each partition at its offset."""
        ...

    def hold(self) -> None:
        """Read nothing more until :meth:`start`; :meth:`poll` still keeps the membership alive."""
        ...

    def hold_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read nothing more of these partitions until :meth:`start`; the others go on.

        What was fetched of them behind these offsets is dropped, and :meth:`positions` are these.
        """
        ...

    def poll(self, timeout_s: float) -> Mapping[TopicPartition, Sequence[SourceRecord]]:
        """The next records by partition, in offset order; none when none came in time.

        Confirmed, as :meth:`confirm` does, after they were read: no record of another log is ever
        returned under the coordinates of the old one.
        """
        ...

    def ends(self) -> Mapping[TopicPartition, int]:
        """The next offset of each assigned partition, as of now."""
        ...

    def positions(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset behind what :meth:`poll` returned; of those partitions that are still ours."""
        ...

    def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether everything before ``ends`` has been returned by :meth:`poll`."""
        ...

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the broker how far we are, for lag tools only; a failure is of no consequence."""
        ...

    def confirm_membership(self) -> None:
        """Ask the group whether it knows another member under this one's name.

        :raises TakenOver: it does. No answer is no reason to say so.
        """
        ...

    def close(self) -> None:
        """Leave the group and close the connections; bounded in time, never raises."""
        ...
