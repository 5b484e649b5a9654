"""Delivery numbers are gapless per producer and per procedure, whoever appends at the same time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from outbox_rows import event_ids, execute, gapless, procedure_seqs, producer_seqs, query
from room_events import chunk, entries, entry, freeze

from cryotrail_producers.errors import OutboxError
from cryotrail_producers.outbox.outbox import Outbox

APPENDER = """
import sys
from pathlib import Path
from uuid import UUID
from room_events import entries
from cryotrail_producers.outbox.outbox import Outbox

path, procedure_id, calls = Path(sys.argv[1]), UUID(sys.argv[2]), int(sys.argv[3])
with Outbox(path) as outbox:
    print("open", flush=True)
    sys.stdin.readline()
    for _ in range(calls):
        outbox.append(entries(3, procedure_id))
"""


def test_numbers_start_at_one_and_follow_the_order_of_appending(tmp_path: Path) -> None:
    first, second = uuid4(), uuid4()
    mixed = [freeze(first, 1), freeze(second, 1), freeze(first, 2)]
    with Outbox(tmp_path / "outbox.sqlite3") as outbox:
        ids = outbox.append([entry(event) for event in mixed])

    assert list(ids) == [1, 2, 3]
    rows = query(outbox.path, "SELECT procedure_id, producer_seq, procedure_seq FROM event")
    assert rows == [(first.bytes, 1, 1), (second.bytes, 2, 1), (first.bytes, 3, 2)]


def test_each_topic_of_a_procedure_is_numbered_by_itself(tmp_path: Path) -> None:
    procedure = uuid4()
    both = [entry(freeze(procedure)), entry(chunk(procedure)), entry(freeze(procedure))]
    with Outbox(tmp_path / "outbox.sqlite3") as outbox:
        outbox.append(both)

    assert procedure_seqs(outbox.path) == {
        (1, procedure, "cryotrail.procedure-events"): [1, 2],
        (1, procedure, "cryotrail.probe-telemetry"): [1],
    }
    assert producer_seqs(outbox.path) == {1: [1, 2, 3]}


def test_numbers_go_on_after_a_clean_close(tmp_path: Path) -> None:
    path, procedure = tmp_path / "outbox.sqlite3", uuid4()
    for _ in range(3):
        with Outbox(path) as outbox:
            outbox.append(entries(2, procedure))

    assert producer_seqs(path) == {1: [1, 2, 3, 4, 5, 6]}
    assert list(procedure_seqs(path).values()) == [[1, 2, 3, 4, 5, 6]]


def test_threads_that_append_together_leave_no_gap(tmp_path: Path) -> None:
    shared = uuid4()
    with Outbox(tmp_path / "outbox.sqlite3") as outbox, ThreadPoolExecutor(8) as pool:
        own = [uuid4() for _ in range(8)]
        jobs = [
            pool.submit(outbox.append, entries(3, procedure))
            for _ in range(20)
            for procedure in (*own, shared)
        ]
        ranges = [job.result() for job in jobs]

    assert sorted(id_ for ids in ranges for id_ in ids) == list(range(1, 541))
    assert all(gapless(seqs) for seqs in producer_seqs(outbox.path).values())
    assert all(gapless(seqs) for seqs in procedure_seqs(outbox.path).values())


def test_processes_that_append_together_leave_no_gap(tmp_path: Path) -> None:
    path, shared = tmp_path / "outbox.sqlite3", uuid4()
    procedures = [shared, shared, uuid4()]
    processes = [_start_appender(path, procedure, calls=40) for procedure in procedures]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "open\n"
    for process in processes:
        process.communicate("go\n", timeout=60)

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert list(producer_seqs(path)) == [1]
    assert gapless(producer_seqs(path)[1])
    counts = {key[1]: len(seqs) for key, seqs in procedure_seqs(path).items()}
    assert counts == {shared: 240, procedures[2]: 120}
    assert all(gapless(seqs) for seqs in procedure_seqs(path).values())


def test_a_commit_that_fails_takes_no_number(tmp_path: Path) -> None:
    path, procedure = tmp_path / "outbox.sqlite3", uuid4()
    with Outbox(path) as outbox:
        outbox.append(entries(2, procedure))
        execute(
            path,
            "CREATE TRIGGER full BEFORE INSERT ON event WHEN NEW.producer_seq = 4"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END",
        )
        with pytest.raises(OutboxError, match="no room"):
            outbox.append(entries(3, procedure))
        execute(path, "DROP TRIGGER full")
        after = entries(1, procedure)
        assert list(outbox.append(after)) == [3]

    assert event_ids(path)[2:] == [after[0].event_id]
    assert producer_seqs(path) == {1: [1, 2, 3]}


def _start_appender(path: Path, procedure_id: UUID, calls: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(path), str(procedure_id), str(calls)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parent / "support")},
    )
