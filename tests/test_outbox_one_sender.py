"""Any process appends; one sends, and another takes over when it ends, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from outbox_room import Room, seqs
from room_events import freeze
from waiting import until

from cryotrail_producers.transport import MemoryTransport

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


def test_two_publishers_of_an_outbox_have_one_sender(room: Room) -> None:
    one, two = MemoryTransport(), MemoryTransport()
    first = room.publisher(one)
    first.publish(freeze(uuid4()))
    first.wait(10)
    second = room.publisher(two)
    until(lambda: second.problem() == "another process sends from this outbox")
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
    until(lambda: second.problem() is not None)

    first.close()
    second.publish(freeze(uuid4()))

    assert second.wait(10).waiting == 0
    assert seqs(log.records) == [1, 2]


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
    until(lambda: publisher.problem() is not None)
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
