"""Few events a second share a request to Kafka; the first after a pause waits for nobody."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from uuid import uuid4

from outbox_room import Room
from room_events import freeze
from waiting import until

from cryotrail_producers.transport import MemoryTransport, OutgoingRecord, Placement


class CountedTransport(MemoryTransport):
    """A log that remembers how many records were handed over together."""

    def __init__(self) -> None:
        super().__init__()
        self.handed_over: list[int] = []

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        self.handed_over.append(len(records))
        return super().send(records)


def test_events_that_follow_the_first_closely_are_handed_over_together(room: Room) -> None:
    transport, procedure = CountedTransport(), uuid4()
    publisher = room.publisher(transport, gather_s=2.0)
    publisher.publish(freeze(procedure))
    until(lambda: transport.handed_over == [1], timeout_s=1.9)

    for cycle_no in range(2, 7):
        publisher.publish(freeze(procedure, cycle_no))
    publisher.wait(20)

    assert transport.handed_over == [1, 5]


def test_a_full_batch_gathers_nothing_more(room: Room) -> None:
    transport, procedure = CountedTransport(), uuid4()
    publisher = room.publisher(transport, gather_s=600.0, batch_rows=10)

    publisher.publish_many(freeze(procedure, cycle_no) for cycle_no in range(1, 31))

    assert publisher.wait(20).waiting == 0
    assert transport.handed_over == [10, 10, 10]
