"""A producer id numbers one life of one file: an unclean end, a copy or a new file begins another."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from outbox_rows import gapless, producer_ids, producer_seqs
from room_events import entries

from cryotrail_producers.outbox.outbox import Outbox

HOLDER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from room_events import entries
from cryotrail_producers.outbox.outbox import Outbox

outbox = Outbox(Path(sys.argv[1]))
outbox.append(entries(2))
print("open", flush=True)
sys.stdin.readline()
outbox.close()
"""


def test_a_new_file_has_a_producer_id_of_its_own(tmp_path: Path) -> None:
    with Outbox(tmp_path / "one.sqlite3") as one, Outbox(tmp_path / "two.sqlite3") as two:
        pass
    assert len({*producer_ids(one.path), *producer_ids(two.path)}) == 2


def test_all_who_open_a_new_file_at_once_number_under_one_id(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: Outbox(path), range(8)))
    for outbox in opened:
        outbox.append(entries(1))
        outbox.close()
    assert len(producer_ids(path)) == 1
    assert producer_seqs(path) == {1: list(range(1, 9))}


def test_a_clean_close_keeps_the_producer_id(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    for _ in range(3):
        with Outbox(path):
            pass
    assert len(producer_ids(path)) == 1


def test_a_killed_process_leaves_the_next_one_a_new_producer_id(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    holder = _start_holder(path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=30)

    with Outbox(path) as outbox:
        outbox.append(entries(3))

    assert len(set(producer_ids(path))) == 2
    assert producer_seqs(path) == {1: [1, 2], 2: [1, 2, 3]}


def test_who_joins_an_open_outbox_numbers_under_the_same_id(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    holder = _start_holder(path)
    with Outbox(path) as outbox:
        outbox.append(entries(2))
    holder.communicate("close\n", timeout=30)
    with Outbox(path) as outbox:
        outbox.append(entries(1))

    assert len(producer_ids(path)) == 1
    assert gapless(producer_seqs(path)[1])


def test_a_killed_process_beside_a_living_one_is_no_unclean_end(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox:
        holder = _start_holder(path)
        holder.send_signal(signal.SIGKILL)
        holder.communicate(timeout=30)
        outbox.append(entries(1))
    with Outbox(path) as outbox:
        outbox.append(entries(1))

    assert len(producer_ids(path)) == 1
    assert producer_seqs(path) == {1: [1, 2, 3, 4]}


def test_a_copy_put_back_does_not_number_on(tmp_path: Path) -> None:
    path, backup = tmp_path / "outbox.sqlite3", tmp_path / "backup"
    with Outbox(path) as outbox:
        outbox.append(entries(1))
    shutil.copy(path, backup)
    with Outbox(path) as outbox:
        outbox.append(entries(1))
    backup.replace(path)

    with Outbox(path) as outbox:
        outbox.append(entries(1))

    assert producer_seqs(path) == {1: [1], 2: [1]}


def _start_holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parent / "support")},
    )
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    return process
