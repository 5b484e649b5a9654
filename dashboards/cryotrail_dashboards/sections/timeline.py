"""The timeline of a procedure: a window, a legend, three aligned panels."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.charts.lanes import lanes_chart
from cryotrail_dashboards.charts.margin import margin_chart
from cryotrail_dashboards.charts.temperature import temperature_chart
from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.legend import timeline_legend
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.outside import band_entries, outside_rows
from cryotrail_dashboards.panels import (
    check_rows,
    complication_rows,
    ct_rows,
    curve_rows,
    lanes_of,
    mark_rows,
    phase_rows,
    probe_lane,
)
from cryotrail_dashboards.queries.procedure import ProcedureFacts
from cryotrail_dashboards.queries.publication import Publication
from cryotrail_dashboards.queries.telemetry import Curves, tip_temperatures
from cryotrail_dashboards.timeline import Day, View, day_of, window_of
from cryotrail_dashboards.units import number, quantity

_NO_POINTS = pd.DataFrame(
    {"lane": pd.Series(dtype="object"), "run": pd.Series(dtype="int64")}
    | {name: pd.Series(dtype="float64") for name in ("t_min", "temperature_cel")}
)


def show_timeline(publication: Publication, facts: ProcedureFacts, zone: ZoneInfo) -> None:
    """Show the timeline of a procedure, or say why there is none."""
    row = facts.row
    if row.started_at is None:
        st.info("No start is recorded, so there is no timeline yet.", icon=":material/schedule:")
        return
    day = day_of(_minutes(facts), row.duration_min)
    from_min, to_min = _choose_window(row.procedure_id, day)
    view = _view(facts, day, from_min, to_min, row.started_at, zone)
    curves = tip_temperatures(publication, row.procedure_id, from_min, to_min)
    _say_what_is_incomplete(facts)
    drawing = Drawing.of_this_reader(
        publication.identity(), row.procedure_id, from_min, to_min, zone.key
    )
    _show_panels(facts, curves, view, drawing)


def _minutes(facts: ProcedureFacts) -> list[float]:
    """Minutes of everything that the axis may have to reach."""
    cycles = [
        facts.cycles[f"{phase}_{edge}_minute"]
        for phase in ("freeze", "thaw")
        for edge in ("start", "stop")
    ]
    drawn = facts.events[~facts.events["is_voided"] & (facts.events["lane"] != "Record")]
    columns = [drawn["t_min"], facts.ct["t_min"], facts.complications["t_min"], *cycles]
    return [float(t) for column in columns for t in column.dropna()]


def _view(
    facts: ProcedureFacts,
    day: Day,
    from_min: int,
    to_min: int,
    started_at: datetime,
    zone: ZoneInfo,
) -> View:
    view = View(day, from_min, to_min, started_at, zone, has_before=True, has_after=True)
    entries = band_entries(facts.events, facts.complications, view)
    return View(
        *(day, from_min, to_min, started_at, zone),
        has_before=any(entry.minutes[0] < 0 for entry in entries),
        has_after=any(entry.minutes[0] >= 0 for entry in entries),
    )


def _choose_window(procedure_id: str, day: Day) -> tuple[int, int]:
    """The window of the address, changed by the slider, kept in the address."""
    window = window_of(day, st.query_params.get("from"), st.query_params.get("to"))
    key = f"window of {procedure_id}"
    st.session_state[key] = window

    def keep_in_address() -> None:
        low, high = st.session_state[key]
        st.query_params.update({"from": str(low), "to": str(high)})

    st.slider(
        "Window (minutes since ProcedureStarted)",
        min_value=day.first_min,
        max_value=day.last_min,
        key=key,
        on_change=keep_in_address,
    )
    return window


def _say_what_is_incomplete(facts: ProcedureFacts) -> None:
    said = []
    if facts.row.ended_at is None:
        said.append("No end is recorded: the procedure is running, or its end never arrived.")
    inserted = facts.events[
        (facts.events["event_type"] == "ProbeInserted") & ~facts.events["is_voided"]
    ]["probe_id"]
    said += [
        f"{literal(probe_lane(probe_id))}: no insertion is recorded; it is not counted as inserted."
        for probe_id in facts.probe_ids
        if probe_id not in set(inserted)
    ]
    broken = facts.cycles[facts.cycles["pairing"] != "closed"]
    said += [
        f"{literal(probe_lane(cycle['probe_id']))}, cycle {cycle['cycle_no']}: "
        f"{cycle['pairing'].replace('_', ' ')}; it is shown as recorded and left out of totals."
        for cycle in broken.to_dict("records")
    ]
    if said:
        st.warning("\n".join(f"- {line}" for line in said), icon=":material/rule:")


def _show_panels(
    facts: ProcedureFacts, curves: Curves | None, view: View, drawing: Drawing
) -> None:
    complications = complication_rows(facts.complications, view)
    lanes = lanes_of(facts.probe_ids, complications)
    probe_lanes = [probe_lane(probe_id) for probe_id in facts.probe_ids]
    ct = ct_rows(facts.ct, view)
    checks = check_rows(ct, view)
    points = _NO_POINTS if curves is None else curve_rows(curves.points)
    st.html(timeline_legend(probe_lanes, not facts.complications.empty, drawing.tokens))
    with st.container(gap="small"):
        drawing.show(
            "lanes",
            lambda tokens: lanes_chart(
                lanes,
                phase_rows(facts.cycles, view),
                mark_rows(facts.events, view),
                ct,
                complications,
                outside_rows(facts.events, facts.complications, lanes, view),
                view,
                tokens,
            ),
            f"Lanes of {len(facts.probe_ids)} probes with {len(facts.cycles)} freeze and thaw "
            f"cycles, {len(ct)} CT and {len(complications)} complications on the day.",
        )
        drawing.show(
            "temperature",
            lambda tokens: temperature_chart(points, probe_lanes, complications, view, tokens),
            _temperature_alt(points),
        )
        drawing.show(
            "margin",
            lambda tokens: margin_chart(checks, complications, view, tokens),
            _margin_alt(checks),
        )
    if curves is None:
        st.markdown(":gray[No tip temperatures were recorded.]")
    else:
        st.markdown(
            f":gray[Tip temperature: {len(points):,} of {curves.sample_count:,} points drawn: the "
            "first, last, lowest and highest of each column of pixels.]"
        )


def _temperature_alt(points: pd.DataFrame) -> str:
    if points.empty:
        return "No tip temperatures in this window."
    low, high = points["temperature_cel"].min(), points["temperature_cel"].max()
    return f"Tip temperatures between {quantity(low, '°C')} and {quantity(high, '°C')}."


def _margin_alt(checks: pd.DataFrame) -> str:
    if checks.empty:
        return "No margin was measured."
    reached = int((checks["state"] == "reached").sum())
    last: Any = checks.iloc[-1]
    return (
        f"{reached} of {len(checks)} checks reached the target; the last margin is "
        f"{number(last['margin_mm'])} mm."
    )
