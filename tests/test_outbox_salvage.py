"""A damaged outbox is set aside; what can be read of it goes on, and what is lost is counted."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from damaged_files import DAMAGES, PAGE_SIZE, copied_outbox, log_of, overwrite
from earlier_layouts import as_layout
from outbox_rows import query
from room_events import entries

from cryotrail_producers.errors import OutboxDamaged, OutboxError, OutboxReplaced
from cryotrail_producers.outbox.drain import Acknowledged, OutboxDrain
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.layout import is_damage
from cryotrail_producers.salvage.set_aside import files_set_aside

PROCEDURES = [uuid4() for _ in range(4)]
COUNT = 400


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An outbox of which half the rows, at least, are in the write-ahead log alone, and some are
    acknowledged; somebody has it open all the time, as when it is copied while in use."""
    path = tmp_path_factory.mktemp("outbox") / "outbox.sqlite3"
    with Outbox(path) as outbox:
        for procedure in PROCEDURES:
            outbox.append(entries(COUNT // 8, procedure))
        with closing(OutboxDrain(path, "FULL")) as drain:
            drain.acknowledge([Acknowledged(id_, 0, id_) for id_ in range(1, 21)])
        outbox._appending.within_opening().execute("PRAGMA wal_checkpoint(PASSIVE)")
        for procedure in PROCEDURES:
            for _ in range(5):
                outbox.append(entries(COUNT // 40, procedure))
        yield path


@pytest.fixture
def closed(left_behind: Path, tmp_path: Path) -> Path:
    """The same, closed cleanly: everything is in the file."""
    path = copied_outbox(left_behind, tmp_path / "home")
    Outbox(path).close()
    assert not log_of(path).exists()
    return path


def read_all_that_waits(path: Path) -> None:
    """As a sender does: that finds damage in the value of an event."""
    for _ in range(2):
        with closing(OutboxDrain(path, "FULL")) as drain, suppress(OutboxReplaced):
            drain.waiting(0, 10**6, 10**9)


def rows_of(path: Path) -> dict[bytes, tuple[object, ...]]:
    """What Kafka would get of each event, by its id."""
    return {
        row[0]: row
        for row in query(
            path,
            "SELECT event_id, event_type, procedure_id, occurred_us, topic, source, value,"
            " producer_id, producer_seq, procedure_seq FROM event JOIN producer USING (producer_no)",
        )
    }


def losses_of(path: Path) -> list[tuple[bytes | None, int, int | None]]:
    return query(path, "SELECT procedure_id, salvaged_count, lost_count FROM loss")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_event_is_salvaged_as_it_was_or_counted_or_the_loss_is_said_to_be_unknown(
    left_behind: Path, tmp_path: Path, damage: str, seed: int
) -> None:
    before = rows_of(left_behind)
    path = copied_outbox(left_behind, tmp_path / "home")
    DAMAGES[damage](path, random.Random(seed))
    damaged = path.read_bytes(), log_of(path).read_bytes()

    new = entries(1)
    with Outbox(path) as outbox:
        for aside in files_set_aside(path):
            assert (aside.read_bytes(), log_of(aside).read_bytes()) == damaged
        outbox.append(new)
        read_all_that_waits(path)
    after = rows_of(path)
    accepted = after.pop(new[0].event_id.bytes)
    assert {key: before.get(key) for key in after} == after
    lost = Counter(before[key][2] for key in before.keys() - after.keys())
    if not files_set_aside(path):
        assert not lost
        return
    assert accepted[7] not in {row[7] for row in before.values()}
    told = {procedure: count for procedure, _, count in losses_of(path)}
    if None in told.values() or None in told:
        assert told  # so many that nobody can count them
    else:
        assert {procedure: count for procedure, count in told.items() if count} == lost


@pytest.mark.parametrize("page_no", range(3))
def test_what_was_on_an_overwritten_page_is_counted_procedure_by_procedure(
    closed: Path, page_no: int
) -> None:
    before = rows_of(closed)
    leaves = query(
        closed, "SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = 'leaf' ORDER BY 1"
    )
    overwrite(closed, (leaves[page_no][0] - 1) * PAGE_SIZE, bytes(PAGE_SIZE))
    Outbox(closed).close()

    after = rows_of(closed)
    lost = Counter(before[key][2] for key in before.keys() - after.keys())
    kept = Counter(row[2] for row in after.values())
    assert 5 < lost.total() < 20
    told = [(procedure, count, lost[procedure]) for procedure, count in kept.items()]
    assert sorted(losses_of(closed)) == sorted(told)


def test_a_damaged_index_loses_nothing(closed: Path) -> None:
    before = rows_of(closed)
    ((page,),) = query(
        closed, "SELECT pageno FROM dbstat WHERE name = 'event_waiting' ORDER BY 1 LIMIT 1"
    )
    overwrite(closed, (page - 1) * PAGE_SIZE, bytes(PAGE_SIZE))
    with Outbox(closed) as outbox:
        assert outbox.status().waiting == COUNT
    assert rows_of(closed) == before
    assert {lost for _, _, lost in losses_of(closed)} == {0}


def test_a_sound_file_is_never_set_aside(left_behind: Path, tmp_path: Path) -> None:
    path = copied_outbox(left_behind, tmp_path / "home")
    Outbox(path).close()
    assert files_set_aside(path) == []
    assert rows_of(path) == rows_of(left_behind)


@pytest.mark.parametrize("step", range(4), ids=["log", "memory", "file", "new file"])
def test_a_replacement_that_is_broken_off_is_finished_by_the_next_who_opens(
    left_behind: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    before = rows_of(left_behind)
    path = copied_outbox(left_behind, tmp_path / "home")
    overwrite(log_of(path), 0, bytes(16))
    done: list[Path] = []
    rename = Path.rename

    def broken_off(self: Path, target: Path) -> Path:
        if len(done) == step:
            raise OSError("the process is killed here")
        done.append(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", broken_off)
    with pytest.raises(OutboxError, match="killed here"):
        Outbox(path)
    monkeypatch.undo()
    Outbox(path).close()

    assert rows_of(path) == before
    assert len(files_set_aside(path)) == 1
    assert len(losses_of(path)) == len(PROCEDURES)


def test_one_of_all_who_open_a_damaged_outbox_at_once_salvages(
    closed: Path,
) -> None:
    path = closed
    overwrite(path, 0, bytes(100))
    with ThreadPoolExecutor(6) as threads:
        for outbox in list(threads.map(lambda _: Outbox(path), range(6))):
            outbox.append(entries(1))
            outbox.close()
    assert len(files_set_aside(path)) == 1
    assert len(rows_of(path)) == COUNT + 6


def test_damage_that_is_found_in_use_moves_everybody_to_the_new_file(closed: Path) -> None:
    before = rows_of(closed)
    with Outbox(closed) as one, Outbox(closed) as other:
        at = closed.read_bytes().index(value_of(before, 100))
        overwrite(closed, at + 12, b"\xff")  # as a disk does it: in the middle of a body
        with closing(OutboxDrain(closed, "FULL")) as drain:
            with pytest.raises(OutboxReplaced):
                drain.waiting(0, 10**6, 10**9)
            with pytest.raises(OutboxReplaced):
                drain.last_acknowledged()
        sent = [entries(1), entries(1)]
        for outbox, given in zip((one, other), sent, strict=True):
            outbox.append(given)
        assert other.status().waiting == COUNT + 1
    after = rows_of(closed)
    assert len(files_set_aside(closed)) == 1
    assert len(before.keys() - after.keys()) == 1
    assert {given[0].event_id.bytes for given in sent} <= after.keys()
    assert sorted(lost for _, _, lost in losses_of(closed)) == [0, 0, 0, 1]


def test_events_whose_producer_is_gone_are_numbered_anew_and_none_is_lost(closed: Path) -> None:
    before = rows_of(closed)
    with closing(sqlite3.connect(closed)) as connection, connection:
        connection.execute("DELETE FROM producer")
        connection.execute("INSERT INTO producer VALUES (77, ?, 0, 1)", (str(uuid4()),))
    read_all_that_waits(closed)

    after = rows_of(closed)
    assert len(files_set_aside(closed)) == 1
    assert {key: row[:7] for key, row in after.items()} == {k: r[:7] for k, r in before.items()}
    assert not {row[7] for row in after.values()} & {row[7] for row in before.values()}


def test_a_page_that_is_damaged_under_a_writer_costs_no_call(closed: Path) -> None:
    with Outbox(closed) as outbox:
        pages = closed.stat().st_size // PAGE_SIZE
        for page in range(2, pages):
            overwrite(closed, page * PAGE_SIZE, bytes(PAGE_SIZE))
        for _ in range(5):
            outbox.append(entries(1))
        assert len(files_set_aside(closed)) == 1
    assert len(rows_of(closed)) >= 5


def test_no_events_are_lost_with_a_file_that_somebody_deleted_but_for_its_log(
    left_behind: Path, tmp_path: Path
) -> None:
    path = copied_outbox(left_behind, tmp_path / "home")
    path.unlink()
    Outbox(path).close()
    assert len(rows_of(path)) > COUNT // 2
    assert log_of(files_set_aside(path)[0]).exists()


def test_a_file_that_never_was_an_outbox_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("Dear colleagues,\n" * 500, encoding="ascii")
    with pytest.raises(OutboxError, match="file is not a database"):
        Outbox(path)
    assert files_set_aside(path) == []


def test_an_older_layout_is_salvaged_without_checksums(closed: Path) -> None:
    before = rows_of(closed)
    as_layout(closed, 2)
    overwrite(closed, 0, bytes(100))
    Outbox(closed).close()
    assert rows_of(closed) == before


def value_of(rows: dict[bytes, tuple[object, ...]], index: int) -> bytes:
    value = list(rows.values())[index][6]
    assert isinstance(value, bytes)
    return value


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("PRAGMA max_page_count = 1", sqlite3.SQLITE_FULL),
        ("PRAGMA query_only = 1", sqlite3.SQLITE_READONLY),
    ],
    ids=["full", "read only"],
)
def test_what_is_no_damage_replaces_nothing(closed: Path, statement: str, code: int) -> None:
    with Outbox(closed) as outbox:
        connection = outbox._appending.within_opening()
        connection.execute(statement)
        with pytest.raises(OutboxError) as refused:
            outbox.append([entry._replace(value=bytes(100_000)) for entry in entries(9)])
        assert getattr(refused.value.__cause__, "sqlite_errorcode", None) == code
        assert not isinstance(refused.value, OutboxDamaged)
        connection.execute("PRAGMA max_page_count = 100000")
        connection.execute("PRAGMA query_only = 0")
        outbox.append(entries(1))
    assert files_set_aside(closed) == []


@pytest.mark.parametrize("name", ["IOERR", "BUSY", "LOCKED", "PERM", "CANTOPEN", "NOMEM", "AUTH"])
def test_an_error_of_the_disk_or_of_rights_is_no_damage(name: str) -> None:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}")
    assert not is_damage(error)
    assert not is_damage(PermissionError(13, "Permission denied"))
    assert not is_damage(OSError(30, "Read-only file system"))
