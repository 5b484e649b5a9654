"""Frames of the timeline's panels from what the marts say of one procedure; all pure functions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cryotrail_dashboards.charts.lanes import CT_LANE, EVENTS_LANE
from cryotrail_dashboards.charts.margin import TARGET_MM
from cryotrail_dashboards.clock import site_clock
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.units import minutes, number, quantity, words

PHASE_EVENTS = frozenset({"FreezeStarted", "FreezeStopped", "ThawStarted", "ThawStopped"})
"""Events that are drawn as the edges of bars."""

_SHAPES = {
    "ProcedureStarted": ("triangle-right", "start"),
    "ProcedureEnded": ("square", "end"),
    "ProbeInserted": ("triangle-down", ""),
    "ProbeRemoved": ("triangle-up", ""),
}


def probe_lane(probe_id: str) -> str:
    """The lane of a probe."""
    return f"Probe {probe_id}"


def lanes_of(probe_ids: list[str], complications: pd.DataFrame) -> list[str]:
    """All lanes from top to bottom; complications of the day have lanes of their own."""
    return [
        *sorted(set(complications["lane"])),
        EVENTS_LANE,
        *(probe_lane(probe_id) for probe_id in probe_ids),
        CT_LANE,
    ]


def phase_rows(cycles: pd.DataFrame, view: View) -> pd.DataFrame:
    """A row a freeze or thaw: ``lane``, ``phase``, ``start_min``, ``stop_min``,
    ``label_stop_min``, ``label``, ``short_label``, ``is_open``, ``detail``.

    The label has room until ``label_stop_min``: where the next phase of the probe starts, if that
    is before the stop, as behind an open phase. A phase without a stop runs to the end of the day and is marked open, never closed by
    guesswork. A stop without a start is no bar; it stays in the table of events.
    """
    rows: list[dict[str, Any]] = []
    for cycle in cycles.to_dict("records"):
        for phase, letter, info in (
            ("freeze", "F", f"stopped: {words(cycle['stop_reason'])}"),
            ("thaw", "T", f"mode: {words(cycle['thaw_mode'])}"),
        ):
            start, stop = cycle[f"{phase}_start_minute"], cycle[f"{phase}_stop_minute"]
            if pd.isna(start):
                continue
            is_open = bool(pd.isna(stop))
            short = f"{letter}{int(cycle['cycle_no'])}"
            length = "no stop recorded" if is_open else minutes(stop - start)
            until = "" if is_open else f" to {_clock(stop, view)}"
            rows.append(
                {
                    "lane": probe_lane(cycle["probe_id"]),
                    "phase": phase,
                    "start_min": start,
                    "stop_min": float(view.day.last_min) if is_open else stop,
                    "label": f"{short} · {length}",
                    "short_label": short,
                    "is_open": is_open,
                    "detail": f"cycle {int(cycle['cycle_no'])}, {length}, "
                    f"{_clock(start, view)}{until}, {info}",
                }
            )
    for row in rows:
        behind = [
            other["start_min"]
            for other in rows
            if other["lane"] == row["lane"]
            and (other["start_min"], other["phase"], other["short_label"])
            > (row["start_min"], row["phase"], row["short_label"])
        ]
        row["label_stop_min"] = min([row["stop_min"], *behind])
    columns = ("lane", "phase", "start_min", "stop_min", "label_stop_min", "label", "short_label")
    return _frame(rows, (*columns, "is_open", "detail"))


def mark_rows(events: pd.DataFrame, view: View) -> pd.DataFrame:
    """A row an event of the day that has a symbol: ``lane``, ``t_min``, ``shape``, ``text``,
    ``detail``. Bars, CT and complications are drawn by others; voided events are not drawn.
    """
    drawn = events[
        ~events["is_voided"]
        & events["t_min"].between(view.day.first_min, view.day.last_min)
        & ~events["event_type"].isin(PHASE_EVENTS | {"ComplicationReported"})
        & ~events["lane"].isin(["Record", CT_LANE])
    ]
    rows = []
    for event in drawn.to_dict("records"):
        shape, text = _SHAPES.get(event["event_type"], ("circle", ""))
        rows.append(
            {
                "lane": event["lane"],
                "t_min": event["t_min"],
                "shape": shape,
                "text": text,
                "detail": f"{_clock(event['t_min'], view)} {event['summary']}",
            }
        )
    return _frame(rows, ("lane", "t_min", "shape", "text", "detail"))


def ct_rows(ct: pd.DataFrame, view: View) -> pd.DataFrame:
    """A row a CT of the day: ``lane``, ``t_min``, ``state``, ``margin_mm``, ``label``, ``detail``.

    ``state`` is "reached" (smallest margin at least 10 mm), "below", or "no margin".
    """
    rows = []
    for look in ct.to_dict("records"):
        if not view.day.holds(look["t_min"]):
            continue
        margin = look["margin_mm"]
        clock = _clock(look["t_min"], view)
        if pd.isna(margin):
            state, label = "no margin", ""
            what = "check without a margin" if look["is_check"] else f"CT, {words(look['phase'])}"
            detail = f"{clock} {what}"
        else:
            state, label = "reached" if margin >= TARGET_MM else "below", number(margin)
            detail = (
                f"{clock} smallest of {int(look['measured_count'])} margins "
                f"{quantity(margin, 'mm')} ({words(look['direction'])})"
            )
        rows.append(
            {
                "lane": CT_LANE,
                "t_min": look["t_min"],
                "state": state,
                "margin_mm": margin,
                "label": label,
                "detail": detail,
            }
        )
    return _frame(rows, ("lane", "t_min", "state", "margin_mm", "label", "detail"))


LABEL_SHARE = 0.035
"""Width of a margin's label on a narrow page, as a share of the time axis."""


def check_rows(ct: pd.DataFrame, view: View) -> pd.DataFrame:
    """The CT at which a margin was measured, as :func:`ct_rows` gives them, with ``side``.

    ``side`` says where the value is written: "above" its point, or "below" where the next value
    is too close to stand beside it. The last value is always above.
    """
    checks = ct[ct["margin_mm"].notna()]
    low, high = view.domain_min
    needed_min = LABEL_SHARE * (high - low)
    sides: list[str] = []
    next_min: float | None = None
    for t_min in reversed(list(checks["t_min"])):
        is_close = next_min is not None and next_min - t_min < needed_min
        sides.append("below" if is_close and sides[-1] == "above" else "above")
        next_min = t_min
    return checks.assign(side=pd.Series(sides[::-1], index=checks.index, dtype="object"))


def complication_rows(complications: pd.DataFrame, view: View) -> pd.DataFrame:
    """A row a complication of the day: ``lane``, ``t_min``, ``text``, ``align``, ``detail``.

    Complications whose texts could meet stand in lanes beneath each other.
    """
    rows: list[dict[str, object]] = []
    room_min = (view.to_min - view.from_min) / 3
    middle_min = (view.from_min + view.to_min) / 2
    last_min_of_lane: list[float] = []
    for found in complications.to_dict("records"):
        t_min = found["t_min"]
        if pd.isna(t_min) or not view.day.holds(t_min):
            continue
        free = (n for n, last in enumerate(last_min_of_lane) if t_min - last >= room_min)
        number_of_lane = next(free, len(last_min_of_lane))
        last_min_of_lane[number_of_lane : number_of_lane + 1] = [t_min]
        rows.append(
            {
                "lane": f"Complication {number_of_lane + 1}",
                "t_min": t_min,
                "text": f"⚑ {words(found['kind'])}",
                # The text runs towards the middle, so that no edge of the panel cuts it.
                "align": "right" if t_min > middle_min else "left",
                "detail": f"{_clock(t_min, view)} {complication_text(found)}",
            }
        )
    return _frame(rows, ("lane", "t_min", "text", "align", "detail"))


def complication_text(found: dict[str, object]) -> str:
    """One line on a complication: kind, gradings as given, resolution."""
    graded = str(found["gradings"]) if found["gradings"] else "not graded"
    resolved = found["resolution_outcome"]
    outcome = words(str(resolved)) if resolved else "no resolution recorded"
    time = "onset" if found["has_onset"] else "reported"
    return f"{words(str(found['kind']))} ({time}; {graded}; {outcome})"


def curve_rows(points: pd.DataFrame) -> pd.DataFrame:
    """The curves with their lanes: ``lane``, ``run``, ``t_min``, ``temperature_cel``."""
    lanes = points["probe_id"].map(probe_lane)
    return points.assign(lane=lanes, t_min=points["t_min"].round(4)).drop(columns="probe_id")


def _clock(t_min: float, view: View) -> str:
    at = view.started_at + pd.Timedelta(minutes=t_min)
    return f"{site_clock(at, view.zone)} (T{'+' if t_min >= 0 else '−'}{abs(t_min):.1f})"


def _frame(rows: list[dict[str, object]], columns: tuple[str, ...]) -> pd.DataFrame:
    """A frame that has its columns, and numbers as numbers, even when there are no rows."""
    frame = pd.DataFrame(rows, columns=list(columns))
    for column in columns:
        if column.endswith(("_min", "_mm")):
            frame[column] = frame[column].astype("float64")
        elif column.startswith("is_"):
            frame[column] = frame[column].astype("bool")
        else:
            frame[column] = frame[column].astype("object")
    return frame
