"""What `publish` has returned is in the file, whenever the process is killed."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from outbox_rows import event_ids, gapless, producer_seqs
from waiting import until

PUBLISHER = """
import sys
import threading
from pathlib import Path
from uuid import uuid4
from room_events import SOURCE, chunk, freeze
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport

transport = MemoryTransport()
transport.outage = "no broker in this test"
publisher = Publisher(PublisherSettings(outbox_path=Path(sys.argv[1]), source=SOURCE), transport)
make = {"clinical": freeze, "telemetry": chunk}[sys.argv[2]]

def publish_on():
    procedure = uuid4()
    while True:
        # One write, so that threads do not mix their lines.
        sys.stdout.write(f"{publisher.publish(make(procedure))}\\n")
        sys.stdout.flush()

for _ in range(3):
    threading.Thread(target=publish_on).start()
"""

FULL_DISK = """
import resource, sys
from pathlib import Path
from uuid import uuid4
from room_events import SOURCE, freeze
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport

transport = MemoryTransport()
transport.outage = "no broker in this test"
with Publisher(PublisherSettings(Path(sys.argv[1]), SOURCE), transport) as publisher:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    for _ in range(20):
        try:
            print(*publisher.publish_many([freeze(uuid4()) for _ in range(100)]), flush=True)
        except OutboxError as error:
            print("refused", flush=True)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
"""


@pytest.mark.parametrize("kind", ["clinical", "telemetry"])
def test_every_returned_id_survives_kill_9(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "outbox.sqlite3"
    file = path if kind == "clinical" else tmp_path / "outbox_telemetry.sqlite3"
    returned: set[UUID] = set()
    for seed in range(3):
        lines = _publish_until_killed(path, kind, random.Random(seed).uniform(0.05, 0.4))
        returned |= {UUID(line) for line in lines}

    assert len(returned) > 30
    assert returned <= set(event_ids(file))
    assert len(producer_seqs(file)) == 3
    assert all(gapless(seqs) for seqs in producer_seqs(file).values())
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_full_disk_refuses_a_group_whole_and_publishing_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite3"
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parent / "support")},
    )
    groups = ended.stdout.splitlines()
    assert groups.count("refused") == 1
    returned = [UUID(id_) for group in groups if group != "refused" for id_ in group.split()]
    assert event_ids(path) == returned
    assert producer_seqs(path) == {1: list(range(1, 1901))}


def _publish_until_killed(path: Path, kind: str, after_s: float) -> list[str]:
    returned = path.with_name("returned.txt")
    with returned.open("w", encoding="ascii") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(path), kind],
            stdout=out,
            env={"PYTHONPATH": str(Path(__file__).parent / "support")},
        )
        until(lambda: returned.stat().st_size > 0, timeout_s=60)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    # A last line that was cut short had not been written whole when the process died.
    return returned.read_text(encoding="ascii").split("\n")[:-1]
