"""Transports that fail as a Kafka cluster can: losing acknowledged records, failing some, mute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import uuid4

from cryotrail_producers.errors import DeliveryFailed
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord, Placement, partition_of


class LossyTransport(MemoryTransport):
    """A log in memory that can lose what it acknowledged."""

    def __init__(self, partition_count: int = 12) -> None:
        super().__init__(partition_count)
        self.resets = 0

    def lose_everything(self) -> None:
        """As when topics are made anew: empty, and offsets begin at 0."""
        self.records.clear()
        self._next_offset.clear()
        self._topic_id = str(uuid4())

    def cut_last(self) -> None:
        """As a power cut does it: the last record is gone, and its offset will be given again."""
        record = self.records.pop()
        self._next_offset[record.topic, partition_of(record.key, self._partition_count)] -= 1

    def reset(self) -> None:
        self.resets += 1


class HeldTransport(MemoryTransport):
    """Acknowledges nothing until told to; keeps count of what is in flight."""

    def __init__(self, partition_count: int = 12) -> None:
        super().__init__(partition_count)
        self.held: list[tuple[list[OutgoingRecord], Future[list[Placement]]]] = []

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        future: Future[list[Placement]] = Future()
        self.held.append((list(records), future))
        return future

    def keys_in_flight(self) -> Counter[bytes]:
        """How many batches of each key are in flight."""
        return Counter(records[0].key for records, _ in self.held)

    def acknowledge(self, index: int = 0) -> list[OutgoingRecord]:
        records, future = self.held.pop(index)
        future.set_result(super().send(records).result())
        return records

    def fail(self, index: int = 0) -> None:
        _, future = self.held.pop(index)
        future.set_exception(DeliveryFailed("the test failed a record"))

    def reset(self) -> None:
        self.held.clear()
