"""A warehouse over a store that was restored and continued holds what any other does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from continued_log import Restored, going_on, restored
from handmade_case import Case
from marts import differences, row
from recorded_events import EventRecorder

from cryotrail_audit.store import migrate, open_store
from cryotrail_schemas.events import Event
from cryotrail_warehouse.as_of import build_as_of
from cryotrail_warehouse.errors import OtherLog
from cryotrail_warehouse.refresh import rebuild, refresh

META = "select last_seq, audit_tree_size, audit_root from meta_publication"


@pytest.fixture
def backed_up(store_url: str) -> Iterator[Restored]:
    with restored(store_url) as made:
        yield made


@pytest.fixture
def backed_up_file(sqlite_url: str) -> Iterator[Restored]:
    """On SQLite alone: what reads a store is the same code on both."""
    with restored(sqlite_url) as made:
        yield made


def corrections(made: Restored) -> list[Event]:
    """An amendment and a void in the new log of events that the old one holds."""
    case = Case(1)
    kept = made.kept
    return [case.amend(kept[1], "/header/occurred_at", case.time(3)), case.void(kept[2])]


def is_assigned(column: str) -> bool:
    """Whether a column holds what the store assigns: administrative entries stand between."""
    return column.endswith(("seq", "recorded_at", "file_path"))


def test_the_marts_equal_those_of_a_store_that_was_never_restored(
    backed_up: Restored, tmp_path: Path
) -> None:
    corrected = corrections(backed_up)
    with closing(open_store(backed_up.url)) as store:
        refresh(store, tmp_path / "marts", "UTC")
        backed_up.continued()
        recorder = going_on(store, backed_up.kept)
        recorder.record(*backed_up.lost)
        refresh(store, tmp_path / "marts", "UTC")
        recorder.record(*corrected, backed_up.kept[0])
        path = refresh(store, tmp_path / "marts", "UTC").path
        again = rebuild(store, tmp_path / "again", "UTC").path
        head = store.head()
    other_url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    migrate(other_url)
    with closing(open_store(other_url)) as other:
        EventRecorder(other).record(*backed_up.kept, *backed_up.lost, *corrected)
        never = rebuild(other, tmp_path / "never", "UTC").path

    assert differences(path, again) == {}
    assert differences(path, never, is_assigned) == {}
    assert row(path, META) == {
        "last_seq": head.tree_size - 1,
        "audit_tree_size": head.tree_size,
        "audit_root": head.root.hex(),
    }
    seqs = "select count(*) n, count(distinct seq) d, max(seq) m from fct_timeline_event"
    assert (found := row(path, seqs))["n"] == found["d"] and found["m"] < head.tree_size


def test_the_marts_of_an_earlier_moment_reach_over_both_logs(
    backed_up_file: Restored, tmp_path: Path
) -> None:
    with closing(open_store(backed_up_file.url)) as store:
        before = store.head()
        backed_up_file.continued()
        going_on(store, backed_up_file.kept).record(*backed_up_file.lost)
        last = store.head().tree_size - 1
        for seq in (before.tree_size - 1, last):
            folder = tmp_path / str(seq)
            folder.mkdir()
            build_as_of(store, folder / "then.duckdb", "UTC", seq=seq)
        now = rebuild(store, tmp_path / "now", "UTC").path

    assert differences(tmp_path / str(last) / "then.duckdb", now, is_assigned) == {}
    then = tmp_path / str(before.tree_size - 1) / "then.duckdb"
    assert row(then, META)["audit_root"] == before.root.hex()
    events = row(then, "select count(*) as n from fct_timeline_event")["n"]
    assert events == len(backed_up_file.kept)


def test_a_warehouse_that_read_what_the_restore_lost_is_built_anew(
    backed_up_file: Restored, tmp_path: Path
) -> None:
    with closing(open_store(backed_up_file.url)) as store:
        going_on(store, backed_up_file.kept).record(*backed_up_file.lost)
        refresh(store, tmp_path / "marts", "UTC")
    backed_up_file.taken.restore()
    backed_up_file.continued()
    with closing(open_store(backed_up_file.url)) as store:
        with pytest.raises(OtherLog) as refused:
            refresh(store, tmp_path / "marts", "UTC")
        assert "rebuild" in str(refused.value.hint)
