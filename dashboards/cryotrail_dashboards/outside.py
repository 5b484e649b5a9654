"""What happened before and after the day: the entries of the timeline's two bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from cryotrail_dashboards.clock import elapsed
from cryotrail_dashboards.panels import complication_text
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.units import words

_NAMES = {
    "ProcedureScheduled": "scheduled",
    "ConsentObtained": "consent",
    "LabResultRecorded": "laboratory",
    "EmbolizationPerformed": "embolization",
    "ChecklistCompleted": "checklist",
    "PatientDischarged": "discharged",
    "FollowUpImagingPerformed": "imaging",
    "ResponseAssessed": "response",
    "RecurrenceDetected": "recurrence",
    "VitalStatusUpdated": "vital status",
}

_FIRST = ("RecurrenceDetected", "EmbolizationPerformed", "PatientDischarged", "VitalStatusUpdated")
"""What a band shows first, after complications, when it has less room than entries."""


class Entry(NamedTuple):
    """One entry of a band: events of one kind."""

    name: str
    minutes: tuple[float, ...]
    rank: int
    is_complication: bool
    detail: str


def outside_rows(
    events: pd.DataFrame, complications: pd.DataFrame, lanes: Sequence[str], view: View
) -> pd.DataFrame:
    """The entries of the bands that the view draws: ``lane``, ``x_min``, ``text``,
    ``is_complication``, ``detail``. A band has as many places as there are lanes; when they do
    not suffice, the last one says how many kinds of events are left to the table.
    """
    rows: list[dict[str, object]] = []
    entries = band_entries(events, complications, view)
    for band, is_before in ((view.before_band_min, True), (view.after_band_min, False)):
        if band is None:
            continue
        chosen = [entry for entry in entries if (entry.minutes[0] < 0) == is_before]
        kept, left = _fit(chosen, len(lanes))
        texts = [(f"{_title(e)}\n{_when(e)}", e.is_complication, e.detail) for e in kept]
        if left:
            names = ", ".join(entry.name for entry in left)
            texts.append((f"+{len(left)} more kinds,\nsee the table", False, names))
        for lane, (text, is_complication, detail) in zip(lanes, texts, strict=False):
            rows.append(
                {
                    "lane": lane,
                    "x_min": sum(band) / 2,
                    "text": text,
                    "is_complication": is_complication,
                    "detail": detail,
                }
            )
    columns = ["lane", "x_min", "text", "is_complication", "detail"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"x_min": "float64", "is_complication": "bool"})


def band_entries(events: pd.DataFrame, complications: pd.DataFrame, view: View) -> list[Entry]:
    """Everything outside the day, grouped by kind, in order of time."""
    entries = []
    away = events[
        ~events["is_voided"]
        & events["t_min"].notna()
        & ~events["t_min"].between(view.day.first_min, view.day.last_min)
        & (events["lane"] != "Record")
        & (events["event_type"] != "ComplicationReported")
    ]
    for is_before in (True, False):
        side = away[(away["t_min"] < 0) == is_before]
        for event_type, group in side.groupby("event_type", sort=False):
            rank = _FIRST.index(event_type) + 1 if event_type in _FIRST else len(_FIRST) + 1
            times = tuple(sorted(group["t_min"]))
            detail = "; ".join(
                f"{elapsed(row['t_min'])} {row['summary']}" for row in group.to_dict("records")
            )
            entries.append(Entry(_name(str(event_type)), times, rank, False, detail))
    for found in complications.to_dict("records"):
        t_min = found["t_min"]
        if not pd.isna(t_min) and not view.day.holds(t_min):
            detail = f"{elapsed(t_min)} {complication_text(found)}"
            entries.append(Entry(f"⚑ {words(found['kind'])}", (t_min,), 0, True, detail))
    return sorted(entries, key=lambda entry: entry.minutes)


def _fit(entries: list[Entry], places: int) -> tuple[list[Entry], list[Entry]]:
    """What is shown, in order of time, and what is left out, least important first to go."""
    if len(entries) <= places:
        return entries, []
    ranked = sorted(entries, key=lambda entry: (entry.rank, entry.minutes))
    left = ranked[places - 1 :]
    return [entry for entry in entries if entry not in left], left


def _title(entry: Entry) -> str:
    return entry.name if len(entry.minutes) == 1 else f"{entry.name} ×{len(entry.minutes)}"


def _when(entry: Entry) -> str:
    first, last = elapsed(entry.minutes[0]), elapsed(entry.minutes[-1])
    return first if first == last else f"{first} to {last.removeprefix('T')}"


def _name(event_type: str) -> str:
    """``TechnicalSuccessAssessed`` → ``technical success assessed`` where no short name is set."""
    return _NAMES.get(event_type) or re.sub(r"(?<!^)(?=[A-Z])", " ", event_type).lower()
