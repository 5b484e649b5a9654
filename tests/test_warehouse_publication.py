"""Publications: complete, read-only, found behind one path, and never in a reader's way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from handmade_case import Case
from marts import row
from small_warehouse import SmallWarehouse

from cryotrail_warehouse.errors import NothingPublished, WarehouseError
from cryotrail_warehouse.materialiser import Materialiser
from cryotrail_warehouse.model_files import models
from cryotrail_warehouse.publication import KEPT, published_path

COUNT = "select count(*) as n from fct_procedure"


@pytest.fixture
def warehouse(sqlite_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(sqlite_url, tmp_path / "warehouse") as warehouse:
        yield warehouse


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_path_is_a_link_to_a_file_nobody_may_write(warehouse: SmallWarehouse) -> None:
    path = warehouse.publish(*Case(1).whole())

    assert path == warehouse.folder / "warehouse.duckdb"
    assert path.readlink() == Path("warehouse-000001.duckdb")
    assert path.resolve().stat().st_mode & 0o777 == 0o444
    assert not list(warehouse.folder.glob("*.wal"))


def test_an_empty_store_gives_an_empty_publication(warehouse: SmallWarehouse) -> None:
    path = warehouse.refresh().path

    assert row(path, COUNT) == {"n": 0}
    state = row(path, "select last_seq, audit_tree_size from meta_publication")
    assert state["last_seq"] == state["audit_tree_size"] - 1


def test_without_a_publication_the_path_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished) as refusal:
        published_path(tmp_path)

    assert refusal.value.hint == "cryotrail warehouse refresh"


def test_without_news_nothing_is_published(warehouse: SmallWarehouse) -> None:
    warehouse.publish(*Case(1).whole())

    again = warehouse.refresh()

    assert (again.published, again.entries, again.procedures) == (False, 0, 0)
    assert again.publication_no == 1


def test_only_the_touched_procedures_are_refreshed(warehouse: SmallWarehouse) -> None:
    case, other = Case(1), Case(2)
    events = case.whole()
    warehouse.publish(*events[:-1], *other.whole())
    warehouse.recorder.record(events[-1])

    outcome = warehouse.refresh()

    assert (outcome.procedures, outcome.entries, outcome.published) == (1, 1, True)


def test_old_publications_are_removed_and_a_reader_keeps_its_own(
    warehouse: SmallWarehouse,
) -> None:
    path = warehouse.publish(*Case(1).whole())
    reader = duckdb.connect()
    reader.execute(f"attach '{path}' as warehouse (read_only)")

    for number in range(2, 6):
        warehouse.publish(*Case(number).whole())

    left = sorted(p.name for p in warehouse.folder.glob("warehouse-*.duckdb"))
    assert left == [f"warehouse-{number:06d}.duckdb" for number in (3, 4, 5)]
    assert len(left) == KEPT
    # Its file is gone from the folder and still whole for whoever has it open.
    assert reader.execute("select count(*) from warehouse.fct_procedure").fetchone() == (1,)
    reader.close()


def test_attaching_the_path_again_shows_the_next_publication(warehouse: SmallWarehouse) -> None:
    path = warehouse.publish(*Case(1).whole())
    held = duckdb.connect(str(path), read_only=True)
    session = duckdb.connect()
    session.execute(f"attach '{path}' as warehouse (read_only)")
    qualified = "select count(*) from warehouse.main.fct_procedure"
    before = session.execute(qualified).fetchone()

    warehouse.publish(*Case(2).whole())
    session.execute("detach warehouse")
    session.execute(f"attach '{path}' as warehouse (read_only)")

    # A plain rename would have shown the old rows here as long as `held` is open.
    assert (before, session.execute(qualified).fetchone()) == ((1,), (2,))
    assert held.execute("select count(*) from fct_procedure").fetchone() == (1,)
    held.close()
    session.close()


def test_views_for_people_read_the_publication_they_are_in(warehouse: SmallWarehouse) -> None:
    warehouse.publish(*Case(1).whole())
    path = warehouse.publish(*Case(2).whole())

    for model in models().views:
        assert row(path, f"select count(*) as n from clinic.{model.name}")["n"] >= 0
    assert row(path, "select count(*) as n from clinic.procedures") == {"n": 2}


def test_publishing_keeps_the_lock_on_the_marts(warehouse: SmallWarehouse) -> None:
    # Copying an open DuckDB file in its own process would drop the lock on it.
    attack = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    with Materialiser.open(warehouse.folder, "UTC") as materialiser:
        warehouse.recorder.record(*Case(1).whole())
        materialiser.refresh(warehouse.store)

        opened = run(attack, warehouse.folder / "marts.duckdb")

    assert opened.returncode != 0
    assert "Could not set lock" in opened.stderr


def test_a_crash_between_raw_rows_and_marts_is_made_good(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish(*Case(1).whole())
    warehouse.recorder.record(*Case(2).whole())
    with monkeypatch.context() as crash:
        crash.setattr(Materialiser, "_run_models", _die)
        with pytest.raises(ZeroDivisionError):
            warehouse.refresh()

    outcome = warehouse.refresh()

    assert (outcome.entries, outcome.procedures, outcome.published) == (0, 1, True)
    assert row(outcome.path, COUNT) == {"n": 2}


def test_a_crash_between_marts_and_publication_is_made_good(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish(*Case(1).whole())
    warehouse.recorder.record(*Case(2).whole())
    with monkeypatch.context() as crash:
        crash.setattr(Materialiser, "_publish", _die)
        with pytest.raises(ZeroDivisionError):
            warehouse.refresh()
    assert row(published_path(warehouse.folder), COUNT) == {"n": 1}

    outcome = warehouse.refresh()

    assert (outcome.procedures, outcome.published) == (0, True)
    assert row(outcome.path, COUNT) == {"n": 2}


def test_a_crash_between_copy_and_link_is_made_good(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish(*Case(1).whole())
    warehouse.recorder.record(*Case(2).whole())
    with monkeypatch.context() as crash:
        crash.setattr("cryotrail_warehouse.publication._point_link", _die)
        with pytest.raises(ZeroDivisionError):
            warehouse.refresh()
    (warehouse.folder / "warehouse-000002.duckdb").chmod(0o644)
    (warehouse.folder / "warehouse-000002.duckdb").write_bytes(b"half a copy")
    assert row(published_path(warehouse.folder), COUNT) == {"n": 1}

    assert row(warehouse.refresh().path, COUNT) == {"n": 2}


def test_a_copy_that_fails_leaves_the_last_publication(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish(*Case(1).whole())
    warehouse.recorder.record(*Case(2).whole())
    with monkeypatch.context() as broken:
        broken.setattr("cryotrail_warehouse.materialiser.MARTS_FILE", "gone.duckdb")
        with pytest.raises(WarehouseError, match="cannot publish"):
            warehouse.refresh()

    assert row(published_path(warehouse.folder), COUNT) == {"n": 1}
    assert warehouse.refresh().published


def test_raw_events_stay_out_of_the_publication(warehouse: SmallWarehouse) -> None:
    path = warehouse.publish(*Case(1).whole())

    with duckdb.connect(str(path), read_only=True) as connection:
        tables = {
            name
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
        }
    assert tables == {model.name for model in models().tables}


def test_the_file_is_of_the_oldest_storage_version(warehouse: SmallWarehouse) -> None:
    path = warehouse.publish(*Case(1).whole())

    # The version number stands behind the magic bytes of the main header (DuckDB: 64 = v0.9 to 1.x).
    head = path.read_bytes()[:20]
    assert head[8:12] == b"DUCK"
    assert int.from_bytes(head[12:20], "little") == 64


def _die(*_arguments: object) -> None:
    raise ZeroDivisionError


READER = """
import sys, time, duckdb
from pathlib import Path
reads = torn = 0
told_to_stop = Path(sys.argv[2])
deadline = time.monotonic() + 60
with duckdb.connect() as connection:
    while not told_to_stop.exists() and time.monotonic() < deadline:
        connection.execute(f"attach '{sys.argv[1]}' as warehouse (read_only)")
        counts = connection.execute(
            "select (select count(*) from warehouse.fct_procedure),"
            " (select count(distinct procedure_id) from warehouse.fct_timeline_event),"
            " (select procedure_count from warehouse.meta_publication)"
        ).fetchone()
        connection.execute("detach warehouse")
        reads += 1
        torn += len(set(counts)) != 1
        if reads == 1:
            print("reading", flush=True)
print(reads, torn)
"""


def test_readers_never_see_a_half_of_two_publications(
    warehouse: SmallWarehouse, tmp_path: Path
) -> None:
    path = warehouse.publish(*Case(1).whole())
    told_to_stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(path), str(told_to_stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    try:
        started = [reader.stdout.readline() for reader in readers if reader.stdout]
        for number in range(2, 6):
            warehouse.publish(*Case(number).whole())
    finally:
        told_to_stop.touch()
        said = [reader.communicate()[0].split() for reader in readers]

    assert started == ["reading\n"] * 2
    assert all(int(reads) > 1 for reads, _ in said)
    assert [torn for _, torn in said] == ["0", "0"]
