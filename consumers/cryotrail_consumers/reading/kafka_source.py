"""The source that reads Apache Kafka through kafka-python."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from kafka import ConsumerRebalanceListener
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as KafkaTopicPartition

from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import SourceInterrupted
from cryotrail_consumers.reading.kafka_errors import translated
from cryotrail_consumers.reading.kafka_header_names import escape_header_names
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.kafka_sighting import KafkaSighting
from cryotrail_consumers.reading.source import Assignment, SourceRecord
from cryotrail_producers.kafka_clients import KafkaConnection, consumer

_GROUP = "cryotrail-recorder"

BATCH_RECORDS: Final = 5000
"""Most records of one poll, hence of one transaction."""

FETCH: Final = {"max_partition_fetch_bytes": 512 * 1024, "fetch_max_bytes": 2 * 1024 * 1024}
"""What a broker sends at once, hence also what waits here while the database is away.

About as much as one batch: an event that comes while a backlog of telemetry is read waits for the
answer in hand and the one under way, and no longer, since the broker goes round the partitions. One
message always comes, whatever its size.
"""

_REQUEST_TIMEOUT_MS = 15_000
# How long the partitions of a recorder that was killed wait for another one. A recorder that was
# merely slow is fenced by the store and joins again.
_SESSION_TIMEOUT_MS = 10_000
_CLOSE_TIMEOUT_MS = 2_000
_COMMIT_EVERY_S = 1.0


def group_of(origin: str) -> str:
    """The consumer group of the recorders into the log with this origin.

    Recorders into different stores must not share a group: each would see half of the partitions.
    """
    return f"{_GROUP}.{origin}"


class KafkaSource:
    """The topics of a cluster: all partitions, or this member's share of the group.

    With ``share`` the partitions are handed out among all members of ``group`` (range assignor);
    without it this process reads them all and joins nothing. Under the group's name the positions
    are shown to lag tools, and never read; without a group nothing of this reader is shown.
    ``instance`` is this member's own name in the group (KIP-345): who comes back under it before
    the session ends finds its partitions as they were, and who is displaced under it ends.

    :raises KafkaUnreachable: no broker answers; retriable.
    :raises TopicMissing: a topic does not exist; retriable.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        topics: Collection[str],
        group: str | None,
        *,
        share: bool = False,
        instance: str | None = None,
    ) -> None:
        self.is_shared = share
        self._connection = connection
        self._group = group
        self._generation = 0
        self._reached: dict[Any, OffsetAndMetadata] = {}
        self._committed_at = 0.0
        self._consumer: Any = None
        self._sighting = KafkaSighting(connection, topics)
        self.cluster_id = self._sighting.cluster_id
        self.topics = self._sighting.topics
        try:
            self._consumer = consumer(
                connection,
                group_id=group,
                group_instance_id=instance if share else None,
                max_poll_records=BATCH_RECORDS,
                isolation_level="read_committed",
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
                session_timeout_ms=_SESSION_TIMEOUT_MS,
                **FETCH,
            )
            escape_header_names(self._consumer)
            if share:
                # Whoever is to hand the partitions out must know them when the group forms.
                self._consumer.topics()
                self._consumer.subscribe(list(self.topics), listener=_Rebalance(self))
            else:
                self._consumer.assign(
                    [
                        KafkaTopicPartition(topic, partition)
                        for topic, sighting in self.topics.items()
                        for partition in sighting.leader_epochs
                    ]
                )
                self.handed_out(self._consumer.assignment())
        except BaseException:
            self.close()
            raise

    def handed_out(self, partitions: Collection[Any]) -> None:
        """Note a new assignment and keep its partitions still until :meth:`start`.

        They get a position at once, because a partition without one would take the offset that
        the group committed.
        """
        for partition in partitions:
            self._consumer.pause(partition)
            self._consumer.seek(partition, 0)
        self._generation += 1

    def assignment(self) -> Assignment:
        # The generation first: a rebalance may end in between, and then the old number has the new
        # partitions looked at again, while the new number would pass the old ones off as them.
        generation = self._generation
        partitions = frozenset(TopicPartition(*one) for one in self._consumer.assignment())
        return Assignment(generation, partitions)

    @contextmanager
    def reader(self) -> Iterator[KafkaLogReader]:
        reader = KafkaLogReader(self._connection)
        try:
            yield reader
        finally:
            reader.close()

    def confirm(self) -> None:
        self._sighting.confirm()

    def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        with self._while_assigned("beginning to read"):
            for partition, offset in offsets.items():
                self._consumer.seek(KafkaTopicPartition(*partition), offset)
                self._consumer.resume(KafkaTopicPartition(*partition))

    def hold(self) -> None:
        with self._while_assigned("pausing"):
            self._consumer.pause(*self._consumer.assignment())

    def hold_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        with self._while_assigned("pausing"):
            for partition, offset in offsets.items():
                self._consumer.pause(KafkaTopicPartition(*partition))
                self._consumer.seek(KafkaTopicPartition(*partition), offset)

    def poll(self, timeout_s: float) -> Mapping[TopicPartition, Sequence[SourceRecord]]:
        with self._translated("reading"):
            polled: dict[Any, Any] = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        self.confirm()
        return {TopicPartition(*partition): records for partition, records in polled.items()}

    def ends(self) -> Mapping[TopicPartition, int]:
        with self._translated("asking for the ends"):
            ends: dict[Any, int] = self._consumer.end_offsets(self._consumer.assignment())
        return {TopicPartition(*partition): end for partition, end in ends.items()}

    def positions(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        with self._while_assigned("asking for the positions"):
            assigned = self._consumer.assignment()
            named = {one: KafkaTopicPartition(*one) for one in partitions}
            return {
                one: self._consumer.position(name)
                for one, name in named.items()
                if name in assigned
            }

    def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        with self._while_assigned("asking for the positions"):
            return all(
                self._consumer.position(KafkaTopicPartition(*partition)) >= end
                for partition, end in ends.items()
            )

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._group is None:
            return
        for partition, offset in offsets.items():
            self._reached[KafkaTopicPartition(*partition)] = OffsetAndMetadata(offset, "", -1)
        if time.monotonic() - self._committed_at >= _COMMIT_EVERY_S:
            with suppress(KafkaError):
                self._consumer.commit_async(dict(self._reached))
            self._committed_at = time.monotonic()

    def confirm_membership(self) -> None:
        # kafka-python 3.0.12 tells nobody that a heartbeat was refused for a name that is taken: it
        # stops beating. A commit is refused aloud.
        for partition in list(self._consumer.assignment())[:1]:
            with suppress(SourceInterrupted), self._while_assigned("asking who is a member"):
                position = self._consumer.position(partition)
                self._consumer.commit({partition: OffsetAndMetadata(position, "", -1)})

    def close(self) -> None:
        # What fails to close, as it may with its broker gone, must not keep the rest open.
        if self._consumer is not None:
            with suppress(KafkaError):
                if self._reached:
                    self._consumer.commit(self._reached, timeout_ms=_CLOSE_TIMEOUT_MS)
            with suppress(KafkaError):
                self._consumer.close(autocommit=False, timeout_ms=_CLOSE_TIMEOUT_MS)
        self._sighting.close()

    def _translated(self, doing: str) -> AbstractContextManager[None]:
        return translated(doing, self._connection.bootstrap)

    @contextmanager
    def _while_assigned(self, doing: str) -> Iterator[None]:
        """Say what it means when kafka-python does not find a partition that was ours just now.

        It rebalances on its own thread, and tells with whatever its dictionaries raise.
        """
        try:
            with self._translated(doing):
                yield
        except (KeyError, ValueError) as error:
            raise SourceInterrupted(
                f"{doing} failed, because partitions were handed out anew meanwhile: {error}"
            ) from error


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes a new assignment on; runs on the client's network thread, so it must not block."""

    def __init__(self, source: KafkaSource) -> None:
        self._source = source

    def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        self._source.handed_out(assigned)

    def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Nothing to give back: all that was polled is recorded, and the store fences the rest."""
