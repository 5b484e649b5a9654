"""Records that nobody can read, put on the topics between the others while a run goes on."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from recorded_kafka import message_of
from room_events import freeze

from cryotrail_producers.kafka_clients import producer
from cryotrail_schemas.topics import EVENT_TOPICS, PARTITION_COUNT
from faults.accounting import PoisonRecord
from faults.brokers import ThreeNodeKafka


class Poisoner:
    """Produces poison and remembers where Kafka put it."""

    def __init__(self, cluster: ThreeNodeKafka, chance: random.Random) -> None:
        self._sent: list[tuple[str, bytes | None, Any]] = []
        self._chance = chance
        self._topic_uuids = cluster.topic_uuids()
        self._producer = producer(cluster.direct, max_block_ms=60_000)

    def produce(self, count: int) -> None:
        """Hand records to the topics, without waiting for Kafka."""
        for _ in range(count):
            topic = self._chance.choice(EVENT_TOPICS)
            partition = self._chance.randrange(PARTITION_COUNT)
            value = self._value()
            future = self._producer.send(
                topic, key=b"no procedure", value=value, partition=partition
            )
            self._sent.append((topic, value, future))

    def settle(self) -> list[PoisonRecord]:
        """Wait until Kafka has everything; returns where it put each record."""
        return [
            PoisonRecord(self._topic_uuids[topic], placed.partition, placed.offset, value)
            for topic, value, future in self._sent
            for placed in [future.get(timeout=60)]
        ]

    def close(self) -> None:
        """Let go of the connection."""
        self._producer.close(timeout=5)

    def _value(self) -> bytes | None:
        """No value, none of our bytes, or one of our own events cut short."""
        match self._chance.randrange(3):
            case 0:
                return None
            case 1:
                return b"\xff" + self._chance.randbytes(self._chance.randrange(300))
            case _:
                whole = message_of(freeze(UUID(int=self._chance.getrandbits(128)))).value
                assert whole is not None
                return whole[: self._chance.randrange(11, len(whole) - 1)]
