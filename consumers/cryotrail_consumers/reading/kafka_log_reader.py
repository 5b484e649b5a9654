"""Looking into the logs of a Kafka cluster beside the running consumption."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kafka.structs import TopicPartition as KafkaTopicPartition

from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import SourceInterrupted
from cryotrail_consumers.reading.kafka_errors import translated
from cryotrail_consumers.reading.kafka_header_names import escape_header_names
from cryotrail_consumers.reading.source import Extent, SourceRecord
from cryotrail_producers.kafka_clients import KafkaConnection, consumer

_PATIENCE_S = 15.0


class KafkaLogReader:
    """Reads ranges of partitions with a consumer of its own, outside of any group.

    :raises KafkaUnreachable: no broker answers; retriable.
    """

    def __init__(self, connection: KafkaConnection, *, fetch_bytes: int = 64 * 1024) -> None:
        """``fetch_bytes``: how much of a partition is fetched at once; more for long ranges."""
        self._bootstrap = connection.bootstrap
        self._consumer: Any = consumer(
            connection,
            isolation_level="read_committed",
            request_timeout_ms=int(_PATIENCE_S * 1000),
            max_partition_fetch_bytes=fetch_bytes,
        )
        escape_header_names(self._consumer)

    def extents(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Extent]:
        named = [KafkaTopicPartition(*partition) for partition in partitions]
        with translated("asking for the offsets", self._bootstrap):
            starts: dict[Any, int] = self._consumer.beginning_offsets(named)
            ends: dict[Any, int] = self._consumer.end_offsets(named)
        return {TopicPartition(*one): Extent(starts[one], ends[one]) for one in named}

    def offsets_at(
        self, partitions: Collection[TopicPartition], timestamp_ms: int
    ) -> Mapping[TopicPartition, int | None]:
        asked = {KafkaTopicPartition(*partition): timestamp_ms for partition in partitions}
        with translated("asking for the offsets of a time", self._bootstrap):
            found: dict[Any, Any] = self._consumer.offsets_for_times(asked)
        return {
            TopicPartition(*partition): None if at is None else at.offset
            for partition, at in found.items()
        }

    def records(self, partition: TopicPartition, extent: Extent) -> Iterator[SourceRecord]:
        """The records within ``extent``, in offset order.

        :raises SourceInterrupted: nothing came for a while, or the log changed underneath.
        """
        named = KafkaTopicPartition(*partition)
        with translated(f"reading {partition}", self._bootstrap):
            self._consumer.assign([named])
            self._consumer.seek(named, extent.start)
            deadline = time.monotonic() + _PATIENCE_S
            # The position also passes what is not returned, such as the marks of transactions.
            while self._consumer.position(named) < extent.end:
                polled = self._consumer.poll(timeout_ms=500).get(named, ())
                for record in polled:
                    if record.offset >= extent.end:
                        return
                    yield record
                if polled:
                    deadline = time.monotonic() + _PATIENCE_S
                elif time.monotonic() > deadline:
                    raise SourceInterrupted(f"{partition} sent nothing for {_PATIENCE_S:g} s")

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1000)
