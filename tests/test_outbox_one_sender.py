"""Any process appends; one sends, and another takes over when it ends, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4

from outbox_room import Room, seqs
from room_events import SOURCE, freeze
from small_rooms import unplugged
from waiting import until

from cryotrail.publishing import why_waiting
from cryotrail_producers.errors import RecordRefused
from cryotrail_producers.outbox.status import OutboxStatus
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord, Placement

SENDER = """
import sys
from pathlib import Path
from uuid import uuid4
from room_events import SOURCE, freeze
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport

transport = MemoryTransport()
with Publisher(PublisherSettings(Path(sys.argv[1]), SOURCE), transport) as publisher:
    publisher.publish(freeze(uuid4()))
    assert publisher.wait(10).waiting == 0
    print("open", flush=True)
    sys.stdin.readline()
    print(len(transport.records), flush=True)
"""


class RefusingTransport(MemoryTransport):
    """Takes everything until it is given a reason to refuse whatever comes."""

    refusal: str | None = None

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        if self.refusal is None:
            return super().send(records)
        refused: Future[list[Placement]] = Future()
        refused.set_exception(RecordRefused(0, self.refusal))
        return refused


def test_two_publishers_of_an_outbox_have_one_sender(room: Room) -> None:
    one, two = MemoryTransport(), MemoryTransport()
    first = room.publisher(one)
    first.publish(freeze(uuid4()))
    first.wait(10)
    second = room.publisher(two)
    until(lambda: second.sender_tally().another_sends)
    second.publish_many([freeze(uuid4()) for _ in range(20)])
    first.publish_many([freeze(uuid4()) for _ in range(20)])

    assert second.wait(10).waiting == 0
    assert second.unacknowledged() == 0
    assert seqs(one.records) == list(range(1, 42))
    assert two.records == []


def test_when_the_sender_closes_another_takes_over(room: Room) -> None:
    log = MemoryTransport()
    first = room.publisher(log)
    first.publish(freeze(uuid4()))
    first.wait(10)
    second = room.publisher(log)
    until(lambda: second.sender_tally().another_sends)

    first.close()
    second.publish(freeze(uuid4()))

    assert second.wait(10).waiting == 0
    assert seqs(log.records) == [1, 2]


def test_that_another_sends_is_no_problem_and_what_kafka_refuses_is_one_of_both(
    room: Room,
) -> None:
    transport, told = RefusingTransport(), list[OutboxStatus]()
    first = room.publisher(transport)
    first.publish(freeze(uuid4()))
    first.wait(10)
    second = room.publisher(MemoryTransport(), on_status=told.append)
    until(lambda: second.sender_tally().another_sends)
    until(lambda: bool(told))
    assert (second.problem(), second.sending_problem(), told[-1].problem) == (None, None, None)

    transport.refusal = "larger than the topic allows"
    second.publish(freeze(uuid4()))
    until(lambda: "larger than the topic allows" in str(second.problem()))
    until(lambda: told[-1].problem is not None)
    assert second.problem() == first.problem() == told[-1].problem
    assert second.sending_problem() is None


def test_each_process_says_whether_it_sends_and_nobody_does_once_it_has_let_go(
    room: Room,
) -> None:
    first = room.publisher(MemoryTransport())
    until(lambda: first.sender_tally().is_sender)
    second = room.publisher(MemoryTransport())
    until(lambda: second.sender_tally().another_sends)
    assert not first.sender_tally().another_sends
    assert not second.sender_tally().is_sender

    first.close()
    until(lambda: second.sender_tally().is_sender)
    second.close()
    for tally in (first.sender_tally(), second.sender_tally()):
        assert (tally.is_sender, tally.another_sends) == (False, False)


def test_a_process_appends_and_waits_while_another_process_sends(room: Room) -> None:
    sender = _start_sender(room.path)
    idle = MemoryTransport()
    publisher = room.publisher(idle)
    publisher.publish_many([freeze(uuid4()) for _ in range(5)])
    assert publisher.wait(10).waiting == 0
    assert idle.records == []
    sent, _ = sender.communicate("close\n", timeout=30)
    assert sent == "6\n"


def test_when_the_sending_process_is_killed_another_takes_over(room: Room) -> None:
    sender = _start_sender(room.path)
    transport = MemoryTransport()
    publisher = room.publisher(transport)
    until(lambda: publisher.sender_tally().another_sends)
    sender.send_signal(signal.SIGKILL)
    sender.communicate(timeout=30)

    publisher.publish(freeze(uuid4()))

    assert publisher.wait(10).waiting == 0
    # Its log in memory died with it, so what it had sent is sent again.
    assert sorted(seqs(transport.records)) == [1, 2]


def _start_sender(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SENDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parent / "support")},
    )
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    return process


def test_a_command_says_that_another_process_sends(tmp_path: Path) -> None:
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE)
    with Publisher(settings, unplugged()) as first:
        until(lambda: first.sender_tally().is_sender)
        with Publisher(settings, unplugged()) as second:
            until(lambda: second.sender_tally().another_sends)
            assert why_waiting(second) == "another process sends from this outbox"
