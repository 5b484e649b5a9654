"""Freezes and thaws: paired by their cycle number, labelled when incomplete, added up rightly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from handmade_case import Case
from marts import row, rows
from small_warehouse import SmallWarehouse

from cryotrail_schemas.events import (
    Event,
    FreezeStarted,
    FreezeStopped,
    IceBallChecked,
    ProbeInserted,
    ProcedureEnded,
    ProcedureStarted,
    ThawStarted,
    ThawStopped,
)


@pytest.fixture
def warehouse(sqlite_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(sqlite_url, tmp_path / "warehouse") as warehouse:
        yield warehouse


def started(case: Case) -> list[Event]:
    """A procedure with probes 1 and 2 in place."""
    probes = [case.at(ProbeInserted, 5, probe_id=str(no), probe_no=no) for no in (1, 2)]
    return [case.scheduled(), case.at(ProcedureStarted, 0), *probes]


def test_pairs_are_labelled_by_what_is_missing(warehouse: SmallWarehouse) -> None:
    case = Case(1)

    def at(kind: type[Event], minute: float, cycle_no: int) -> Event:
        return case.at(kind, minute, probe_id="1", cycle_no=cycle_no)

    path = warehouse.publish(
        *started(case),
        *case.cycle("1", 1, 10),
        at(FreezeStopped, 41, 2),
        *(at(FreezeStarted, 50, 3), at(FreezeStopped, 60, 3)),
        *(at(FreezeStarted, 70, 4), at(FreezeStopped, 80, 4), at(ThawStarted, 80, 4)),
        *(at(FreezeStarted, 90, 5), at(FreezeStopped, 95, 5), at(ThawStopped, 99, 5)),
        at(FreezeStarted, 100, 6),
    )

    found = rows(path, "select cycle_no, pairing, freeze_min, thaw_min from fct_freeze_thaw_cycle")
    assert sorted(tuple(item.values()) for item in found) == [
        (1, "closed", 20.0, 10.0),
        (2, "orphan_stop", None, None),
        (3, "freeze_without_thaw", 10.0, None),
        (4, "thaw_open", 10.0, None),
        (5, "orphan_stop", 5.0, None),
        (6, "freeze_open", None, None),
    ]
    assert row(path, "select cycle_count, freeze_min, thaw_min from fct_procedure") == {
        "cycle_count": 1,
        "freeze_min": 45.0,
        "thaw_min": 10.0,
    }
    quality = row(
        path, "select found, checked from meta_quality where check_name = 'unpaired_cycles'"
    )
    assert quality == {"found": 5, "checked": 6}


def test_arrival_does_not_matter_for_pairing(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = [*started(case), *case.cycle("1", 1, 10), *case.cycle("1", 2, 40)]

    path = warehouse.publish(*reversed(events))

    cycles = rows(
        path,
        "select cycle_no, freeze_start_minute, thaw_stop_minute from fct_freeze_thaw_cycle order by 1",
    )
    assert [tuple(item.values()) for item in cycles] == [(1, 10.0, 40.0), (2, 40.0, 70.0)]


def test_the_union_of_probes_counts_nested_and_overlapping_freezes_once(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)

    path = warehouse.publish(
        *started(case),
        # One long freeze that holds two short ones; comparing neighbours alone would see a gap.
        *case.cycle("1", 1, 10, freeze=60, thaw=10),
        *case.cycle("2", 1, 15, freeze=5, thaw=5),
        *case.cycle("2", 2, 40, freeze=20, thaw=12),
    )

    assert row(path, "select freeze_min, probe_freeze_min, thaw_min from fct_procedure") == {
        "freeze_min": 60.0,
        "probe_freeze_min": 85.0,
        "thaw_min": 5.0 + 20.0,
    }


def test_a_cycle_is_the_envelope_of_its_probes(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    late = case.cycle("2", 1, 14, freeze=20, thaw=15)

    path = warehouse.publish(*started(case), *case.cycle("1", 1, 10), *late[:3])
    before = row(path, "select is_complete, start_minute, end_minute from fct_procedure_cycle")
    path = warehouse.publish(late[3])
    after = row(
        path,
        "select is_complete, start_minute, end_minute, probe_count, freeze_min, probe_freeze_min"
        " from fct_procedure_cycle",
    )

    assert before == {"is_complete": False, "start_minute": 10.0, "end_minute": 40.0}
    assert after == {
        "is_complete": True,
        "start_minute": 10.0,
        "end_minute": 49.0,
        "probe_count": 2,
        "freeze_min": 24.0,
        "probe_freeze_min": 40.0,
    }


def test_a_repeated_stop_is_marked_and_the_last_one_counts(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    again = case.at(FreezeStopped, 32, probe_id="1", cycle_no=1)

    path = warehouse.publish(*started(case), *case.cycle("1", 1, 10), again)

    cycle = row(path, "select is_repeated, freeze_min from fct_freeze_thaw_cycle")
    assert cycle == {"is_repeated": True, "freeze_min": 22.0}


def test_a_stop_before_its_start_has_no_length(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    cycle: dict[str, Any] = {"probe_id": "1", "cycle_no": 1}

    path = warehouse.publish(
        *started(case),
        case.at(FreezeStarted, 30, **cycle),
        case.at(FreezeStopped, 20, **cycle),
        case.at(ThawStarted, 30, **cycle),
        case.at(ThawStopped, 40, **cycle),
    )

    assert row(path, "select freeze_min, thaw_min from fct_freeze_thaw_cycle") == {
        "freeze_min": None,
        "thaw_min": 10.0,
    }
    assert row(path, "select freeze_min, cycle_count from fct_procedure") == {
        "freeze_min": 0.0,
        "cycle_count": 0,
    }


def test_the_smallest_of_the_measured_margins_at_the_last_check_counts(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)

    def check(minute: float, cycle_no: int, **margins: float) -> Event:
        return case.at(IceBallChecked, minute, cycle_no=cycle_no, covers_tumour=True, **margins)

    path = warehouse.publish(
        *started(case),
        *case.cycle("1", 1, 10),
        *case.cycle("1", 2, 40),
        check(59, 2, margin_cranial_mm=11.5, margin_lateral_mm=10.25, margin_medial_mm=10.25),
        check(29, 1, margin_cranial_mm=-4.0),
        check(45, 2, margin_cranial_mm=2.0),
        case.at(ProcedureEnded, 90),
    )

    last = row(path, "select last_margin_mm, last_margin_measured_count from fct_procedure")
    assert last == {"last_margin_mm": 10.25, "last_margin_measured_count": 3}
    found = row(
        path,
        "select smallest_margin_direction as direction, is_last_of_cycle"
        " from fct_ice_ball_check where is_last_of_procedure",
    )
    assert found == {"direction": "medial", "is_last_of_cycle": True}
    cycles = rows(path, "select last_margin_mm from fct_procedure_cycle order by cycle_no")
    assert cycles == [{"last_margin_mm": -4.0}, {"last_margin_mm": 10.25}]
