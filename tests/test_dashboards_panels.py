"""What the panels draw of one procedure, and that nothing is dropped, closed or moved unsaid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cryotrail_dashboards.outside import outside_rows
from cryotrail_dashboards.panels import (
    check_rows,
    complication_rows,
    ct_rows,
    lanes_of,
    mark_rows,
    phase_rows,
)
from cryotrail_dashboards.timeline import Day, View

VIEW = View(
    Day(-10, 96),
    *(-10, 96),
    datetime(2012, 1, 19, 1, 0, tzinfo=UTC),
    ZoneInfo("Asia/Tokyo"),
    has_before=True,
    has_after=True,
)


def cycle(**changes: Any) -> pd.DataFrame:
    row = {
        "probe_id": "1",
        "cycle_no": 1,
        "freeze_start_minute": 24.0,
        "freeze_stop_minute": 44.0,
        "thaw_start_minute": 44.0,
        "thaw_stop_minute": 54.0,
        "stop_reason": "PLANNED",
        "thaw_mode": "PASSIVE",
    }
    return pd.DataFrame([row | changes])


def event(event_type: str, t_min: float, **changes: Any) -> dict[str, Any]:
    row = {"event_type": event_type, "t_min": t_min, "lane": "Events", "summary": event_type}
    return row | {"is_voided": False} | changes


def complication(kind: str, t_min: float) -> dict[str, Any]:
    return {
        "t_min": t_min,
        "kind": kind,
        "has_onset": False,
        "gradings": "",
        "resolution_outcome": None,
    }


def test_a_cycle_is_a_tall_and_a_short_bar_with_their_minutes() -> None:
    rows = phase_rows(cycle(), VIEW)

    assert list(rows["label"]) == ["F1 · 20\u00a0min", "T1 · 10\u00a0min"]
    assert list(rows["lane"]) == ["Probe 1", "Probe 1"]
    assert "10:24:00 (T+24.0)" in rows["detail"].iloc[0]


def test_a_phase_without_a_stop_is_open_and_runs_to_the_end_of_the_day() -> None:
    rows = phase_rows(cycle(thaw_stop_minute=None), VIEW)
    thaw = rows[rows["phase"] == "thaw"].iloc[0]

    assert thaw["is_open"]
    assert thaw["stop_min"] == 96.0
    assert thaw["label"] == "T1 · no stop recorded"


def test_labels_of_phases_that_run_into_each_other_have_rooms_of_their_own() -> None:
    unstopped = {"freeze_stop_minute": None, "thaw_start_minute": None, "thaw_stop_minute": None}
    both = [cycle(**unstopped), cycle(**unstopped, cycle_no=2, freeze_start_minute=54.0)]
    rows = phase_rows(pd.concat(both), VIEW)

    assert list(rows["stop_min"]) == [96.0, 96.0]
    assert list(rows["label_stop_min"]) == [54.0, 96.0]


def test_a_stop_without_a_start_is_no_bar() -> None:
    rows = phase_rows(cycle(freeze_start_minute=None), VIEW)

    assert list(rows["phase"]) == ["thaw"]


def test_events_before_the_start_lie_on_the_axis_when_they_are_near() -> None:
    events = pd.DataFrame([event("ChecklistCompleted", -10.0), event("ConsentObtained", -1440.0)])

    assert list(mark_rows(events, VIEW)["t_min"]) == [-10.0]


def test_voided_events_have_no_symbol() -> None:
    events = pd.DataFrame([event("ProcedureEnded", 90.0, is_voided=True)])

    assert mark_rows(events, VIEW).empty


def test_a_margin_below_the_target_or_not_measured_is_told_apart() -> None:
    looks = pd.DataFrame(
        {
            "t_min": [29.0, 59.0, 60.0, 95.0],
            "margin_mm": [-3.0, 10.0, None, None],
            "direction": ["CRANIAL", "CAUDAL", None, None],
            "measured_count": [6, 6, 0, None],
            "phase": [None, None, None, "SURVEY"],
            "is_check": [True, True, True, False],
        }
    )

    rows = ct_rows(looks, VIEW)

    assert list(rows["state"]) == ["below", "reached", "no margin", "no margin"]
    assert list(rows["label"]) == ["−3.0", "10.0", "", ""]
    assert rows["detail"].iloc[3].endswith("CT, survey")


def test_values_that_would_meet_stand_above_and_below_and_the_last_one_above() -> None:
    ct = pd.DataFrame({"t_min": [20.0, 59.0, 60.0, 61.0, 70.0], "margin_mm": [1.0, 2, None, 3, 4]})

    rows = check_rows(ct, VIEW)

    assert list(rows["t_min"]) == [20.0, 59.0, 61.0, 70.0]
    assert list(rows["side"]) == ["above", "below", "above", "above"]


def test_complications_that_are_close_stand_in_lanes_beneath_each_other() -> None:
    found = [complication("NERVE_PALSY", 79.0), complication("WOUND_COMPLICATION", 94.0)]
    rows = complication_rows(pd.DataFrame(found), VIEW)

    assert list(rows["lane"]) == ["Complication 1", "Complication 2"]
    assert lanes_of(["1"], rows) == [
        *("Complication 1", "Complication 2"),
        *("Events", "Probe 1", "CT"),
    ]


def test_a_complication_a_week_later_stands_in_the_band_after() -> None:
    complications = pd.DataFrame([complication("WOUND_COMPLICATION", 7 * 1440.0)])
    events = pd.DataFrame([event("PatientDischarged", 1440.0), event("ConsentObtained", -1440.0)])

    rows = outside_rows(events, complications, ["Events", "Probe 1", "CT"], VIEW)

    assert complication_rows(complications, VIEW).empty
    assert list(rows["text"]) == [
        "consent\nT−24 h",
        "discharged\nT+24 h",
        "⚑ wound complication\nT+7 d",
    ]
    assert list(rows["is_complication"]) == [False, False, True]
    assert rows["x_min"].iloc[0] < -10 < 96 < rows["x_min"].iloc[1]


def test_a_full_band_keeps_the_complication_and_counts_what_it_leaves_out() -> None:
    kinds = ["PatientDischarged", "FollowUpImagingPerformed", "ResponseAssessed"]
    events = pd.DataFrame([event(kind, 1440.0 * (i + 1)) for i, kind in enumerate(kinds)])
    complications = pd.DataFrame([complication("INFECTION", 90_000.0)])

    rows = outside_rows(events, complications, ["Events", "CT"], VIEW)

    assert list(rows["text"]) == ["⚑ infection\nT+2 mo", "+3 more kinds,\nsee the table"]
