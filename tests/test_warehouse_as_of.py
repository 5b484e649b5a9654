"""Marts of an earlier moment: a file of its own that shows what was known then, and says so."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from handmade_case import Case
from marts import differences, row, rows
from recorded_events import EventRecorder
from small_warehouse import SmallWarehouse

from cryotrail.main import main
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import migrate, open_store
from cryotrail_schemas.events import Channel, Event, ProbeTelemetryChunk
from cryotrail_warehouse.as_of import build_as_of
from cryotrail_warehouse.errors import WarehouseError
from cryotrail_warehouse.publication import published_number
from cryotrail_warehouse.query import query
from cryotrail_warehouse.refresh import rebuild

DURATION = "select duration_min from fct_procedure"


@pytest.fixture
def warehouse(store_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(store_url, tmp_path / "warehouse") as warehouse:
        yield warehouse


def corrected_case() -> list[Event]:
    """A procedure with samples, a late end, and amendments of it that contradict each other."""
    case = Case(1)
    *events, end = case.whole(end=90)
    chunk = case.at(
        ProbeTelemetryChunk,
        12,
        channel=Channel.TIP_TEMPERATURE_CEL,
        probe_id="1",
        period_ms=1000,
        values=(-100.0, None),
    )
    first = case.amend(end, "/header/occurred_at", case.time(100))
    rival = case.amend(end, "/header/occurred_at", case.time(110))
    return [*events, chunk, first, end, rival, case.void(rival), case.void(chunk)]


def is_assigned(column: str) -> bool:
    """Whether a column holds what the store assigns: the schemas between differ in two stores."""
    return column.endswith(("seq", "recorded_at", "file_path"))


def test_as_of_each_size_equals_a_store_that_holds_only_that_prefix(tmp_path: Path) -> None:
    events = corrected_case()
    url = f"sqlite:///{tmp_path / 'audit.sqlite3'}"
    migrate(url)
    with closing(open_store(url)) as store:
        recorder = EventRecorder(store)
        for first in range(0, len(events), 5):
            recorder.record(*events[first : first + 5])
        seqs = [e.seq for batch in store.entries(kinds=(0,)) for e in batch]
        for length in (2, 11, 13, 15):
            prefix_url = f"sqlite:///{tmp_path / f'prefix-{length}.sqlite3'}"
            migrate(prefix_url)
            with closing(open_store(prefix_url)) as prefix:
                EventRecorder(prefix).record(*events[:length])
                fresh = rebuild(prefix, tmp_path / f"fresh-{length}", "UTC").path
            (tmp_path / f"then-{length}").mkdir()
            output = tmp_path / f"then-{length}" / "known.duckdb"

            build_as_of(store, output, "UTC", seq=seqs[length - 1])

            assert differences(output, fresh, is_assigned) == {}


def test_a_time_shows_what_was_recorded_by_then(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    case = Case(1)
    events = case.whole(end=90)
    warehouse.publish(*events)
    head = warehouse.store.head()
    time.sleep(0.002)
    published = warehouse.publish(case.amend(events[-1], "/header/occurred_at", case.time(120)))
    output = tmp_path / "known.duckdb"

    outcome = build_as_of(warehouse.store, output, "UTC", recorded_us=head.recorded_us)

    assert row(published, DURATION) == {"duration_min": 120.0}
    assert row(output, DURATION) == {"duration_min": 90.0}
    assert rows(output, "from fct_correction") == []
    assert outcome.last_seq == head.tree_size - 1
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moment = epoch + timedelta(microseconds=head.recorded_us or 0)
    meta = row(
        output,
        "select publication_no, last_seq, as_of_seq, audit_tree_size, audit_root,"
        " epoch_us(as_of_at) as as_of_us from meta_publication",
    )
    assert meta == {
        "publication_no": 0,
        "last_seq": head.tree_size - 1,
        "as_of_seq": head.tree_size - 1,
        "audit_tree_size": head.tree_size,
        "audit_root": head.root.hex(),
        "as_of_us": (moment - epoch) // timedelta(microseconds=1),
    }
    unsaid = row(published, "select as_of_at, as_of_seq from meta_publication")
    assert unsaid == {"as_of_at": None, "as_of_seq": None}


def test_the_published_warehouse_is_left_alone(warehouse: SmallWarehouse, tmp_path: Path) -> None:
    warehouse.publish(*corrected_case())
    before = sorted(path.name for path in warehouse.folder.rglob("*"))
    (tmp_path / "then").mkdir()
    output = tmp_path / "then" / "known.duckdb"

    build_as_of(warehouse.store, output, "UTC", seq=warehouse.store.head().tree_size - 2)

    assert sorted(path.name for path in warehouse.folder.rglob("*")) == before
    assert published_number(warehouse.folder) == 1
    assert not output.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    file_path = row(output, "select file_path from fct_telemetry_file")["file_path"]
    samples = query(warehouse.folder, f"select value from samples('{file_path}')", output)
    assert [sample["value"] for sample in samples.rows] == [-100.0, None]
    assert {path.name for path in output.parent.iterdir()} == {"known.duckdb", "telemetry"}


def test_before_the_first_entry_nothing_was_known(
    warehouse: SmallWarehouse, tmp_path: Path
) -> None:
    warehouse.publish(*Case(1).whole())
    output = tmp_path / "nothing.duckdb"

    outcome = build_as_of(warehouse.store, output, "UTC", recorded_us=0)

    assert (outcome.entries, outcome.procedures, outcome.last_seq) == (0, 0, -1)
    assert rows(output, "from fct_procedure") == []


def test_no_file_is_replaced_and_none_comes_beside_a_warehouse(
    warehouse: SmallWarehouse, tmp_path: Path
) -> None:
    warehouse.publish(*Case(1).whole())
    there = tmp_path / "there.duckdb"
    there.write_bytes(b"somebody's")

    for output, why in (
        (there, "there already"),
        (warehouse.folder / "known.duckdb", "holds a warehouse"),
        (there / "known.duckdb", "no folder and cannot be made"),
    ):
        with pytest.raises(WarehouseError, match=why):
            build_as_of(warehouse.store, output, "UTC", seq=0)
    with pytest.raises(AuditError, match="none of number"):
        build_as_of(warehouse.store, tmp_path / "later.duckdb", "UTC", seq=10**6)
    assert there.read_bytes() == b"somebody's"
    assert not (tmp_path / "later.duckdb").exists()


class TestCommand:
    @pytest.fixture(autouse=True)
    def settings(
        self, warehouse: SmallWarehouse, monkeypatch: pytest.MonkeyPatch, store_url: str
    ) -> None:
        monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
        monkeypatch.setenv("CRYOTRAIL_WAREHOUSE_DIR", str(warehouse.folder))
        monkeypatch.setenv("CRYOTRAIL_SITE_TZ", "UTC")
        warehouse.recorder.record(*Case(1).whole())

    def test_rebuild_builds_the_file_and_sql_reads_it(
        self, warehouse: SmallWarehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output = str(tmp_path / "then" / "known.duckdb")  # the folder is made
        last_seq = warehouse.store.head().tree_size - 1

        seq = ["--as-of-seq", str(last_seq - 1)]
        assert main(["warehouse", "rebuild", *seq, "--output", output, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["last_seq"] == last_seq - 1
        asked = ["sql", "select ended_at from fct_procedure", "--file", output, "--json"]
        assert main(["warehouse", *asked]) == 0
        assert json.loads(capsys.readouterr().out) == [{"ended_at": None}]
        assert published_number(warehouse.folder) is None

    @pytest.mark.parametrize(
        "given", [["--as-of-seq", "1"], ["--output", "x.duckdb"], ["--as-of", "noon"]]
    )
    def test_a_moment_and_a_file_go_together(self, given: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["warehouse", "rebuild", *given])

        assert ended.value.code == 2

    def test_a_file_that_is_not_there_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["warehouse", "sql", "select 1", "--file", "/nowhere.duckdb"]) == 1
        assert "there is no file" in capsys.readouterr().err
