"""No failure of a library ends the sending: whatever it raises, a new producer takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4

import pytest
from outbox_room import Room, seqs
from room_events import freeze

from cryotrail_producers.transport import MemoryTransport, OutgoingRecord, Placement

FAILURES = [RuntimeError("no such thing"), asyncio.CancelledError(), MemoryError(), KeyError(7)]


class FailingTransport(MemoryTransport):
    """Fails each way once: when records are handed over, when they are to be acknowledged, and when
    the producer is given up."""

    def __init__(self, failure: BaseException) -> None:
        super().__init__()
        self._failure = failure
        self._left = ["reset", "future", "send"]
        self.resets = 0

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        if self._left[-1:] == ["send"]:
            self._left.pop()
            raise self._failure
        if self._left[-1:] == ["future"]:
            self._left.pop()
            failed: Future[list[Placement]] = Future()
            failed.set_exception(self._failure)
            return failed
        return super().send(records)

    def reset(self) -> None:
        self.resets += 1
        if self._left == ["reset"]:
            self._left.pop()
            raise self._failure


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_whatever_is_raised_everything_is_sent_in_order_by_another_producer(
    room: Room, failure: BaseException
) -> None:
    transport = FailingTransport(failure)
    publisher = room.publisher(transport)
    procedure = uuid4()
    publisher.publish_many([freeze(procedure) for _ in range(5)])
    assert publisher.wait(20).waiting == 0
    assert seqs(transport.records) == [1, 2, 3, 4, 5]
    assert transport.resets >= 2


def test_a_lock_file_that_cannot_be_opened_is_told_and_tried_again(
    room: Room, tmp_path: Path
) -> None:
    lock = tmp_path / "outbox.sqlite3.sender"
    lock.mkdir()
    transport = MemoryTransport()
    publisher = room.publisher(transport)
    publisher.publish(freeze(uuid4()))
    assert publisher.wait(0.3).waiting == 1
    assert lock.name in str(publisher.problem())
    assert publisher.sending_problem() == publisher.problem()
    tally = publisher.sender_tally()
    assert (tally.is_sender, tally.another_sends) == (False, False)
    lock.rmdir()
    assert publisher.wait(20).waiting == 0
    assert publisher.sending_problem() is None
    assert publisher.sender_tally().is_sender
