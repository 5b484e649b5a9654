"""One process at a time writes a warehouse, and it notices when its working files do not fit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Timer

import pytest
from handmade_case import Case
from marts import differences, row
from postgres_server import PostgresServer
from small_warehouse import SmallWarehouse

from cryotrail_audit.records import EVENT
from cryotrail_audit.store import migrate, open_store
from cryotrail_warehouse.errors import (
    EntryChanged,
    MaterialiserBusy,
    OtherLog,
    WarehouseError,
)
from cryotrail_warehouse.materialiser import Materialiser
from cryotrail_warehouse.refresh import follow, refresh

DATES = "select treated_on::varchar as day from fct_procedure"


@pytest.fixture
def warehouse(sqlite_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(sqlite_url, tmp_path / "warehouse") as warehouse:
        yield warehouse


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Not below pytest's own folder, which only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-postgres-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_no_marts_are_built_from_an_entry_that_was_changed(warehouse: SmallWarehouse) -> None:
    before = warehouse.publish(*Case(1).whole()).resolve()
    event = Case(2).whole()[0]
    changed = warehouse.recorder.incoming(event, content_hash=bytes(32))
    warehouse.recorder.append([(EVENT, changed)])

    with pytest.raises(EntryChanged, match="bytes of entry"):
        warehouse.refresh()

    assert (warehouse.folder / "warehouse.duckdb").resolve() == before


def test_a_second_materialiser_is_refused_and_told_which_process_holds_it(
    warehouse: SmallWarehouse,
) -> None:
    with (
        Materialiser.open(warehouse.folder, "UTC"),
        pytest.raises(MaterialiserBusy, match=f"process {os.getpid()}") as refusal,
    ):
        warehouse.refresh()

    assert refusal.value.retriable
    assert warehouse.refresh().published  # given back when the first one is done


def test_a_killed_materialiser_leaves_no_lock_behind(warehouse: SmallWarehouse) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from cryotrail_warehouse.materialiser import Materialiser\n"
        "with Materialiser.open(Path(sys.argv[1]), 'UTC'):\n"
        "    print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(warehouse.folder)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(MaterialiserBusy, match=f"process {process.pid}"):
            warehouse.refresh()
        process.kill()

    left = warehouse.folder / "scratch" / "rows.json"
    left.write_text('{"event": "what the killed process had decoded"}')
    assert row(warehouse.publish(*Case(1).whole()), DATES) == {"day": "2026-03-02"}
    assert not left.parent.exists()


def test_another_log_is_refused_until_a_rebuild(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    warehouse.publish(*Case(1).whole())
    other_url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    migrate(other_url)

    with SmallWarehouse(other_url, warehouse.folder) as other:
        other.recorder.record(*Case(2).whole(), *Case(3).whole())
        with pytest.raises(OtherLog) as refusal:
            other.refresh()
        assert refusal.value.hint is not None and "rebuild" in refusal.value.hint
        path = other.rebuild().path

    assert row(path, "select count(*) as n from fct_procedure") == {"n": 2}


def test_a_shorter_log_is_another_log(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    warehouse.publish(*Case(1).whole())
    empty_url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    migrate(empty_url)

    with closing(open_store(empty_url)) as store, pytest.raises(OtherLog):
        refresh(store, warehouse.folder, "UTC")


def test_another_site_zone_builds_the_marts_anew(warehouse: SmallWarehouse) -> None:
    case = Case(1, start=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert row(warehouse.publish(*case.whole()), DATES) == {"day": "2026-03-02"}

    warehouse.site_tz = "Asia/Tokyo"
    outcome = warehouse.refresh()

    assert (outcome.entries, outcome.procedures, outcome.publication_no) == (0, 1, 2)
    assert row(outcome.path, DATES) == {"day": "2026-03-03"}


def test_other_models_build_the_marts_anew_without_decoding(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryotrail_warehouse.model_files import models

    warehouse.publish(*Case(1).whole())
    monkeypatch.setattr(models(), "digest", "another")

    outcome = warehouse.refresh()

    assert (outcome.entries, outcome.procedures, outcome.published) == (0, 1, True)


def test_another_decoder_reads_the_log_anew(
    warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = warehouse.publish(*Case(1).whole())
    entries = row(first, "select audit_tree_size as n from meta_publication")["n"]
    monkeypatch.setattr("cryotrail_warehouse.decoding.DECODER_VERSION", -1)

    outcome = warehouse.refresh()

    assert (outcome.entries, outcome.procedures) == (entries, 1)


def test_lost_working_files_are_built_again(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    before = warehouse.publish(*Case(1).whole(), *Case(2).whole()).resolve()
    for name in ("build.duckdb", "marts.duckdb"):
        (warehouse.folder / name).unlink()
        outcome = warehouse.refresh()
        assert outcome.published
        assert differences(before, outcome.path) == {}


def test_a_working_file_that_is_none_is_named_with_the_remedy(warehouse: SmallWarehouse) -> None:
    warehouse.publish(*Case(1).whole())
    (warehouse.folder / "marts.duckdb").write_bytes(b"no database" * 1000)

    with pytest.raises(WarehouseError, match="cannot open the working files") as refusal:
        warehouse.refresh()

    assert refusal.value.hint is not None and "rebuild" in refusal.value.hint
    assert warehouse.rebuild().published


def test_following_publishes_what_comes_and_ends_when_told(warehouse: SmallWarehouse) -> None:
    stop = Event()
    outcomes = []
    giving_up = Timer(60, stop.set)
    giving_up.start()

    for outcome in follow(warehouse.store, warehouse.folder, "UTC", 0.1, stop):
        outcomes.append(outcome)
        if len(outcomes) == 3:
            stop.set()
        else:
            warehouse.recorder.record(*Case(len(outcomes)).whole())
    giving_up.cancel()

    assert [outcome.publication_no for outcome in outcomes] == [1, 2, 3]
    assert [outcome.procedures for outcome in outcomes] == [0, 1, 1]


def test_a_refresh_that_takes_long_says_while_it_reads_and_while_it_builds_that_it_goes_on(
    warehouse: SmallWarehouse,
) -> None:
    warehouse.recorder.record(*Case(1).whole())
    stop = Event()
    told: list[int] = []

    following = follow(warehouse.store, warehouse.folder, "UTC", 0.1, stop, advance=told.append)
    outcome = next(following)
    stop.set()

    assert sum(told) == outcome.entries > 0
    assert len([count for count in told if count == 0]) > 10  # after each model
    assert list(following) == []


def test_following_waits_while_the_store_is_away(tmp_path: Path, server_folder: Path) -> None:
    with PostgresServer(server_folder, {"fsync": "off"}) as server:
        with server.connect() as connection:
            connection.execute("create database audit")
        migrate(server.url("audit"))
        with SmallWarehouse(server.url("audit"), tmp_path / "warehouse") as warehouse:
            warehouse.recorder.record(*Case(1).whole())
            stop = Event()
            giving_up = Timer(60, stop.set)
            giving_up.start()
            following = follow(warehouse.store, warehouse.folder, "UTC", 0.1, stop)
            first = next(following)
            server.stop()

            def come_back() -> None:
                server.start()
                with closing(open_store(server.url("audit"))) as reopened:
                    warehouse.recorder.store = reopened
                    warehouse.recorder.record(*Case(2).whole())

            restart = Timer(1.0, come_back)
            restart.start()
            second = next(following)
            restart.join()
            stop.set()
            giving_up.cancel()

    assert (first.procedures, second.procedures) == (1, 1)
