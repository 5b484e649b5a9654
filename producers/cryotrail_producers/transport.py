"""What carries records to the log: Kafka, or memory for the tests of those who publish."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from kafka import KafkaProducer
from kafka.errors import (
    CorruptRecordError,
    InvalidRecordError,
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from kafka.partitioner.default import murmur2

from cryotrail_producers.errors import DeliveryFailed, RecordRefused, TransportUnavailable
from cryotrail_producers.kafka_clients import KafkaConnection, producer
from cryotrail_producers.log_state import LogState, kafka_log_state
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.topics import PARTITION_COUNT

_REFUSALS = (
    CorruptRecordError,
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
"""What a broker says of a record, not of the producer. A bare ``KafkaError`` is what kafka-python
gives the records that shared a batch with an invalid one."""

_METADATA_TIMEOUT_MS = 5000
_CLOSE_TIMEOUT_S = 5.0


class OutgoingRecord(NamedTuple):
    """One record as Kafka will hold it."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Placement(NamedTuple):
    """Where a record was put."""

    part: int
    offset: int


class Transport(Protocol):
    """Carries batches of records to a log that keeps the order of each key.

    One thread calls it. It connects at the first :meth:`send`, and again after :meth:`reset`.
    """

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        """Hand over records of one topic and key, in order, without waiting for their acknowledgement.

        The future resolves once all are acknowledged, with one placement each, or fails with
        :class:`RecordRefused` or :class:`DeliveryFailed`. From the first failure on nothing that is
        in flight is delivered any more, and no other future fails, until :meth:`reset`: a later
        record must not overtake a failed one. Sending a record again is allowed; the log then
        holds it twice.

        :raises TransportUnavailable: nothing could be handed over. May take ten seconds.
        """

    def log_state(self, topic: str, offsets: Mapping[int, int]) -> LogState:
        """Which log a topic is now, where it ends, and what lies at an offset of each partition
        in ``offsets``.

        :raises CryotrailError: the log cannot be asked; retriable. May take twenty seconds.
        """

    def reset(self) -> None:
        """Give up what is in flight and let go of the connection. May be called at any time."""


def partition_of(key: bytes, partition_count: int) -> int:
    """The partition of a key, as Kafka's default partitioner gives it in every client language."""
    return int((murmur2(key) & 0x7FFFFFFF) % partition_count)


class KafkaTransport:
    """Records to Kafka by an idempotent producer that never gives a record up by itself."""

    def __init__(self, connection: KafkaConnection, **tuning: Any) -> None:
        """``tuning`` goes to :func:`cryotrail_producers.kafka_clients.producer`."""
        self._connection = connection
        self._tuning = {"max_block_ms": _METADATA_TIMEOUT_MS} | tuning
        self._producer: KafkaProducer | None = None
        self._ending = _Ending()

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        if self._producer is None:
            self._producer = producer(self._connection, **self._tuning)
            self._ending = _Ending()
        topic, key = records[0].topic, records[0].key
        partitions = self._partitions(self._producer, topic)
        part = partitions[partition_of(key, len(partitions))]
        flight = _Flight(self._producer, self._ending)
        try:
            for record in records:
                flight.add(
                    self._producer.send(
                        topic, record.value, key=key, headers=record.headers, partition=part
                    )
                )
        except KafkaError as error:
            # Some records of the batch may be on their way, so nothing may follow them.
            flight.fail_next(error)
        else:
            flight.all_handed_over()
        return flight.result

    def log_state(self, topic: str, offsets: Mapping[int, int]) -> LogState:
        return kafka_log_state(self._connection, topic, offsets)

    def reset(self) -> None:
        if self._producer is not None:
            closing, self._producer = self._producer, None
            _abandon(closing)
            closing._sender.join(_CLOSE_TIMEOUT_S)
            closing.close(timeout=0)

    def _partitions(self, client: KafkaProducer, topic: str) -> list[int]:
        try:
            return sorted(client.partitions_for(topic))
        except KafkaTimeoutError as error:
            raise TransportUnavailable(
                f"the Kafka cluster at {self._connection.bootstrap} does not answer for the topic "
                f"{topic}",
                hint="is the cluster up, and was the topic created?",
            ) from error
        except KafkaError as error:
            raise TransportUnavailable(
                f"the Kafka cluster at {self._connection.bootstrap} refuses the topic {topic}: "
                f"{error}",
                hint="may this client describe and write it?",
            ) from error


class _Ending:
    """Lets the first failure of a producer be told, and no other: those only follow from it."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    def is_first(self) -> bool:
        return self._free.acquire(blocking=False)


class _Flight:
    """The futures of one batch, as one."""

    def __init__(self, client: KafkaProducer, ending: _Ending) -> None:
        self.result: Future[list[Placement]] = Future()
        self._client = client
        self._ending = ending
        self._records: list[Any] = []

    def add(self, record: Any) -> None:
        self._records.append(record)
        record.add_errback(partial(self._fail, len(self._records) - 1))

    def fail_next(self, error: KafkaError) -> None:
        """The record after those that were added could not be handed over."""
        self._fail(len(self._records), error)

    def all_handed_over(self) -> None:
        # Records of one key go to one partition, where they resolve in order: the last is enough.
        if self._records:
            self._records[-1].add_callback(self._resolve)

    def _fail(self, index: int, error: BaseException) -> None:
        # On the producer's own thread this takes effect before it sends anything else, so what
        # was handed over behind the failed record does not overtake it.
        first = self._ending.is_first()
        _abandon(self._client)
        if not first:
            return
        if isinstance(error, _REFUSALS) or type(error) is KafkaError:
            self.result.set_exception(RecordRefused(index, str(error)))
        else:
            self.result.set_exception(DeliveryFailed(f"Kafka failed a record: {error}"))

    def _resolve(self, _: object) -> None:
        if all(record.succeeded() for record in self._records):
            placements = [Placement(r.value.partition, r.value.offset) for r in self._records]
            self.result.set_result(placements)


def _abandon(client: KafkaProducer) -> None:
    # `close(timeout=0)` should do this, but it waits for a flush first, which raises when records
    # are in flight and leaves the producer open.
    client._sender.force_close()


class MemoryTransport:
    """A log in memory, partitioned as Kafka does it. For the tests of an SDK's users.

    ``outage`` may be set to a reason: until it is None again, nothing can be handed over.
    """

    def __init__(self, partition_count: int = PARTITION_COUNT) -> None:
        self.records: list[OutgoingRecord] = []
        """Everything that arrived, over all topics, in order of arrival."""
        self.outage: str | None = None
        self._partition_count = partition_count
        self._topic_id = str(uuid4())
        self._next_offset: dict[tuple[str, int], int] = defaultdict(int)
        self._event_ids: dict[tuple[str, int, int], str | None] = {}

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        if self.outage is not None:
            raise TransportUnavailable(self.outage)
        result: Future[list[Placement]] = Future()
        result.set_result([self._append(record) for record in records])
        return result

    def log_state(self, topic: str, offsets: Mapping[int, int]) -> LogState:
        if self.outage is not None:
            raise TransportUnavailable(self.outage)
        ends = {part: end for (of, part), end in self._next_offset.items() if of == topic}
        found = {
            part: self._event_ids[topic, part, offset]
            for part, offset in offsets.items()
            if offset < ends.get(part, 0)
        }
        return LogState(self._topic_id, ends, found)

    def reset(self) -> None:
        """Nothing is in flight, and nothing is connected."""

    def _append(self, record: OutgoingRecord) -> Placement:
        part = partition_of(record.key, self._partition_count)
        offset = self._next_offset[record.topic, part]
        self._next_offset[record.topic, part] += 1
        self._event_ids[record.topic, part, offset] = read_delivery(record.headers).event_id
        self.records.append(record)
        return Placement(part, offset)
