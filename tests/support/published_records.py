"""What lies on the two topics of a cluster, for tests that published something."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from kafka import TopicPartition

from cryotrail_producers.kafka_clients import KafkaConnection, consumer
from cryotrail_schemas.topics import EVENT_TOPICS, PARTITION_COUNT


class PublishedRecord(NamedTuple):
    """One record as any consumer sees it."""

    topic: str
    key: str
    value: bytes
    headers: dict[str, str]


def published_records(
    connection: KafkaConnection,
    topics: Iterable[str] = EVENT_TOPICS,
    timeout_s: float = 30.0,
) -> list[PublishedRecord]:
    """Every record of the topics up to their present ends, in order within each partition."""
    client = consumer(connection)
    try:
        partitions = [TopicPartition(t, p) for t in topics for p in range(PARTITION_COUNT)]
        client.assign(partitions)
        client.seek_to_beginning(*partitions)
        ends = client.end_offsets(partitions)
        records: list[PublishedRecord] = []
        deadline = time.monotonic() + timeout_s
        while any(client.position(partition) < end for partition, end in ends.items()):
            assert time.monotonic() < deadline, "the topics could not be read to their ends"
            for batch in client.poll(timeout_ms=500).values():
                records += (
                    PublishedRecord(
                        record.topic,
                        record.key.decode(),
                        record.value,
                        {name: value.decode() for name, value in record.headers},
                    )
                    for record in batch
                )
        return records
    finally:
        client.close()
