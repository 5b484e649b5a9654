"""Samples as Parquet: one immutable file a procedure and version, named by the publication."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from handmade_case import Case
from marts import row, rows
from small_warehouse import SmallWarehouse

from cryotrail_schemas.events import (
    Channel,
    FreezeStarted,
    ProbeTelemetryChunk,
    ProcedureStarted,
    SampleQuality,
)

FILES = "select file_path, sample_count, chunk_count from fct_telemetry_file"


@pytest.fixture
def warehouse(sqlite_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(sqlite_url, tmp_path / "warehouse") as warehouse:
        yield warehouse


def chunk(case: Case, minute: float, *values: float | None, **given: Any) -> ProbeTelemetryChunk:
    """A tip temperature of probe 1, a value a second."""
    said: dict[str, Any] = {
        "channel": Channel.TIP_TEMPERATURE_CEL,
        "probe_id": "1",
        "period_ms": 1000,
        "quality": SampleQuality.GOOD,
    }
    return case.at(ProbeTelemetryChunk, minute, values=values, **(said | given))


def samples(path: Path, file_path: str) -> list[tuple[Any, ...]]:
    """The rows of a telemetry file."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(
            f"select channel, probe_id, sensor_id, cycle_no, sampled_at::varchar, value, quality"
            f" from '{path.parent / file_path}'"
        ).fetchall()


def test_a_file_holds_the_samples_of_one_procedure_in_order(warehouse: SmallWarehouse) -> None:
    case, other = Case(1), Case(2)

    path = warehouse.publish(
        *case.whole(),
        *other.whole(),
        chunk(case, 11, -40.5, None, cycle_no=1),
        chunk(case, 10, 37.0, 20.0, cycle_no=1),
        chunk(other, 10, 1.0),
        chunk(case, 10, 80.0, channel=Channel.FLOW_PCT, quality=SampleQuality.SUSPECT),
    )

    (own,) = rows(path, f"{FILES} where procedure_id = '{case.procedure_id}'")
    assert (own["sample_count"], own["chunk_count"]) == (5, 3)
    assert own["file_path"].startswith(f"telemetry/{case.procedure_id}/")
    tip = ("TIP_TEMPERATURE_CEL", "1", None, 1)
    assert samples(path, own["file_path"]) == [
        ("FLOW_PCT", "1", None, None, "2026-03-02 09:10:00+00", 80.0, "SUSPECT"),
        (*tip, "2026-03-02 09:10:00+00", 37.0, "GOOD"),
        (*tip, "2026-03-02 09:10:01+00", 20.0, "GOOD"),
        (*tip, "2026-03-02 09:11:00+00", -40.5, "GOOD"),
        (*tip, "2026-03-02 09:11:01+00", None, "GOOD"),
    ]


def test_new_samples_are_a_new_file_and_other_events_are_not(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()

    path = warehouse.publish(*events[:-1], chunk(case, 10, 1.0))
    first = row(path, FILES)["file_path"]
    written = (path.parent / first).stat()
    path = warehouse.publish(events[-1])
    assert row(path, FILES)["file_path"] == first
    path = warehouse.publish(chunk(case, 11, 2.0))

    second = row(path, FILES)
    assert second["file_path"] != first
    assert second["sample_count"] == 2
    assert (path.parent / first).stat() == written  # still there for readers, and untouched
    assert written.st_mode & 0o777 == 0o444


def test_a_version_goes_when_no_kept_publication_names_it(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    folder = warehouse.folder / "telemetry" / str(case.procedure_id)
    versions = []

    warehouse.publish(*case.whole())
    for minute in range(5):
        path = warehouse.publish(chunk(case, minute, 1.0))
        versions.append(row(path, FILES)["file_path"])

    left = {f"telemetry/{case.procedure_id}/{file.name}" for file in folder.iterdir()}
    assert left == set(versions[-3:])


def test_telemetry_waits_for_its_procedure(warehouse: SmallWarehouse) -> None:
    case = Case(1)

    path = warehouse.publish(chunk(case, 10, 1.0))
    assert rows(path, FILES) == []
    assert rows(path, "from fct_probe_temperature") == []
    path = warehouse.publish(*case.whole())

    assert row(path, FILES)["sample_count"] == 1


def test_samples_belong_to_the_phase_they_were_taken_in(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    minute = 60_000

    path = warehouse.publish(
        case.scheduled(),
        case.at(ProcedureStarted, 0),
        *case.cycle("1", 1, 10, freeze=2, thaw=1),
        # 9, 10, .. 13 min: before, at the start, within, at the change to thaw, at its stop.
        chunk(case, 9, 37.0, -20.0, -40.0, -30.0, 5.0, period_ms=minute),
        chunk(case, 11, None, period_ms=minute),
    )

    phases = rows(
        path,
        "select phase, cycle_no, sample_count, missing_count, min_cel, at_or_below_minus_20_s as s20,"
        " at_or_below_minus_40_s as s40 from fct_probe_temperature order by phase",
    )
    assert [tuple(item.values()) for item in phases] == [
        ("FREEZE", 1, 2, 1, -40.0, 120.0, 60.0),
        ("OUTSIDE", None, 2, 0, 5.0, 0.0, 0.0),
        ("THAW", 1, 1, 0, -30.0, 60.0, 0.0),
    ]


def test_a_sensor_follows_the_envelope_of_the_cycle(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    sensor = {"channel": Channel.SENSOR_TEMPERATURE_CEL, "probe_id": None, "sensor_id": "S1"}

    path = warehouse.publish(
        case.scheduled(),
        case.at(ProcedureStarted, 0),
        *case.cycle("1", 1, 10, freeze=20, thaw=10),
        *case.cycle("2", 1, 12, freeze=20, thaw=10),
        chunk(case, 31, -5.0, **sensor),  # probe 1 thaws already, probe 2 still freezes
        chunk(case, 41, 8.0, **sensor),
    )

    phases = rows(
        path, "select sensor_id, phase, min_cel from fct_probe_temperature order by phase"
    )
    assert [tuple(item.values()) for item in phases] == [
        ("S1", "FREEZE", -5.0),
        ("S1", "THAW", 8.0),
    ]


def test_a_sample_is_counted_once_where_phases_overlap(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    early = case.at(FreezeStarted, 15, probe_id="1", cycle_no=2)
    rest = case.cycle("1", 2, 40)[1:]

    path = warehouse.publish(
        case.scheduled(),
        case.at(ProcedureStarted, 0),
        *case.cycle("1", 1, 10),
        early,
        *rest,
        chunk(case, 20, -100.0),
    )

    counted = row(path, "select sum(sample_count)::int as n from fct_probe_temperature")
    assert counted == {"n": 1}
