"""The same events in PostgreSQL and in SQLite give the same marts, row for row."""

from __future__ import annotations

from pathlib import Path
from random import Random

import duckdb
import replayed_cohort
from handmade_case import Case
from marts import differences, row, rows
from small_warehouse import SmallWarehouse

from cryotrail_schemas.events import Event
from cryotrail_warehouse.cohort_figures import compare


def assigned_by_the_store(column: str) -> bool:
    """Columns that two stores may fill differently, and what is computed from them."""
    return column == "seq" or column.endswith(("_seq", "recorded_at")) or column == "file_path"


def everything() -> list[Event]:
    """The cohort, and a case with corrections of every kind."""
    case = Case(900)
    events = case.whole()
    void = case.void(events[3])
    amendment = case.amend(events[-1], "/header/occurred_at", case.time(100))
    return [
        *replayed_cohort.events(),
        *events,
        void,
        amendment,
        case.void(void),
        case.amend(events[0], "/tumour_size_mm", 12.5),
    ]


def test_postgresql_and_sqlite_give_equal_marts(
    postgres_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    with (
        SmallWarehouse(postgres_url, tmp_path / "postgresql", "Asia/Tokyo") as postgresql,
        SmallWarehouse(sqlite_url, tmp_path / "sqlite", "Asia/Tokyo") as sqlite,
    ):
        events = everything()
        for warehouse, batch in ((postgresql, 5000), (sqlite, 977)):
            warehouse.recorder.record_all(events, batch=batch)
        paths = [postgresql.refresh().path, sqlite.refresh().path]

    assert differences(*paths, leave_out=assigned_by_the_store) == {}
    assert row(paths[0], "select count(*) as n from fct_procedure") == {"n": 12}
    assert _samples(paths[0]) == _samples(paths[1])


def test_the_order_of_arrival_changes_no_figure(sqlite_url: str, tmp_path: Path) -> None:
    shuffled = replayed_cohort.discrete()
    Random(7).shuffle(shuffled)

    with SmallWarehouse(sqlite_url, tmp_path / "warehouse", "Asia/Tokyo") as warehouse:
        warehouse.recorder.record_all(shuffled)
        path = warehouse.refresh().path

    unequal = {item.figure.key for item in compare(path) if not item.equal}
    assert unequal == {"temperature_samples", "telemetry_chunks"}  # which were left out


def _samples(path: Path) -> list[tuple[object, ...]]:
    """Count and checksum of all samples of a publication, by channel."""
    files = [
        str(path.parent / r["file_path"])
        for r in rows(path, "select file_path from fct_telemetry_file")
    ]
    with duckdb.connect() as connection:
        return connection.execute(
            "select channel, count(*), bit_xor(hash(procedure_id, probe_id, sampled_at, value))"
            " from read_parquet($1) group by channel order by channel",
            [files],
        ).fetchall()
