"""The middle panel: the tip temperature of each probe."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import (
    Y_AXIS,
    complication_rules,
    compose,
    time_axis,
)
from cryotrail_dashboards.charts.bands import bands
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.tokens import Tokens, probe_stroke

HEIGHT_PX = 190
LETHAL_CEL = -40
"""Tissue held below this for a minute dies (phase I trial, PubMed 10391563)."""


def temperature_domain(curve: pd.DataFrame) -> tuple[float, float]:
    """-200 to 50 °C, extended to whatever was measured: no value is ever cut off."""
    if curve.empty:
        return -200.0, 50.0
    lowest = math.floor(curve["temperature_cel"].min() / 10) * 10
    highest = math.ceil(curve["temperature_cel"].max() / 10) * 10
    return min(-200.0, lowest), max(50.0, highest)


def temperature_chart(
    curve: pd.DataFrame,
    probe_lanes: list[str],
    complications: pd.DataFrame,
    view: View,
    tokens: Tokens,
) -> alt.LayerChart:
    """The temperature panel.

    :param curve: ``lane``, ``run`` (unbroken stretches: a gap stays a gap), ``t_min``,
        ``temperature_cel``.
    :param probe_lanes: the probes' lanes in order of insertion; colour, dash and width follow it.
    :param complications: ``t_min``.
    """
    y = alt.Y(
        "temperature_cel:Q",
        scale=alt.Scale(domain=list(temperature_domain(curve)), nice=False),
        axis=alt.Axis(title="probe tip (°C)", tickCount=6, **Y_AXIS),
    )
    lines: list[Any] = []
    for order, lane in enumerate(probe_lanes):
        stroke = probe_stroke(order, tokens)
        lines.append(
            alt.Chart(curve[curve["lane"] == lane])
            .mark_line(
                color=stroke.color,
                strokeDash=list(stroke.dash),
                strokeWidth=stroke.width_px,
                clip=True,
                description=f"tip temperature of {lane}",
            )
            .encode(
                x=time_axis("t_min", "bare", view),
                y=y,
                detail=alt.Detail("run:N"),
                order=alt.Order("t_min:Q"),
            )
        )
    threshold = pd.DataFrame({"temperature_cel": [float(LETHAL_CEL)], "text": ["−40 °C"]})
    layers = [
        bands("bare", view, tokens),
        alt.Chart(threshold)
        .mark_rule(color=tokens.threshold, strokeDash=[6, 3], aria=False)
        .encode(y=y),
        alt.Chart(threshold)
        .mark_text(x="width", align="right", dx=-4, dy=-7, color=tokens.threshold, fontSize=11)
        .encode(y=y, text=alt.Text("text:N")),
        complication_rules(complications, "bare", view, tokens),
        *lines,
    ]
    return compose(layers, HEIGHT_PX, tokens)
