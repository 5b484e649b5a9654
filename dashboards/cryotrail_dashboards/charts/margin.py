"""The bottom panel: the smallest measured margin of ice beyond the tumour at each CT check."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import (
    Y_AXIS,
    complication_rules,
    compose,
    haloed_text,
    time_axis,
)
from cryotrail_dashboards.charts.bands import bands
from cryotrail_dashboards.charts.lanes import check_color, check_shape
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.tokens import Tokens

HEIGHT_PX = 210
TARGET_MM = 10
"""The margin that the centre aimed at: at least 10 mm of ice beyond the tumour
(doi:10.1186/s12885-016-2852-6)."""


def margin_domain(checks: pd.DataFrame) -> tuple[float, float]:
    """0 to 16 mm, extended to whatever was measured and to the values written beside the points."""
    if checks.empty:
        return 0.0, 16.0
    low, high = checks["margin_mm"].min(), checks["margin_mm"].max()
    # A value stands above or below its point: a fifth of the panel's height is room for it.
    room = (max(high, 16.0) - min(low, 0.0)) / 5
    lowest = float(math.floor(low - room)) if low < room else 0.0
    return lowest, max(16.0, float(math.ceil(high + room)))


def margin_chart(
    checks: pd.DataFrame, complications: pd.DataFrame, view: View, tokens: Tokens
) -> alt.LayerChart:
    """The margin panel.

    :param checks: ``t_min``, ``margin_mm``, ``state``, ``label``, ``side``, ``detail``; only
        checks at which a margin was measured.
    :param complications: ``t_min``.
    """
    x = time_axis("t_min", "elapsed", view)
    y = alt.Y(
        "margin_mm:Q",
        scale=alt.Scale(domain=list(margin_domain(checks)), nice=False),
        axis=alt.Axis(title="CT margin (mm)", tickCount=4, **Y_AXIS),
    )
    target = pd.DataFrame({"margin_mm": [float(TARGET_MM)], "text": [f"target ≥ {TARGET_MM} mm"]})
    base = alt.Chart(checks)
    layers = [
        bands("elapsed", view, tokens),
        alt.Chart(target)
        .mark_rule(color=tokens.target_reached, strokeDash=[6, 3], aria=False)
        .encode(y=y),
        alt.Chart(target)
        .mark_text(x="width", align="right", dx=-4, dy=9, color=tokens.target_reached, fontSize=11)
        .encode(y=y, text=alt.Text("text:N")),
        complication_rules(complications, "elapsed", view, tokens),
        base.mark_line(
            interpolate="step-after", color=tokens.step, clip=True, description="margin over time"
        ).encode(x=x, y=y),
        *_values(checks, x, y, tokens),
        base.mark_point(size=100, filled=True, opacity=1, clip=True).encode(
            x=x,
            y=y,
            color=check_color(tokens),
            shape=check_shape(),
            tooltip=alt.Tooltip("detail:N", title="check"),
        ),
    ]
    return compose(layers, HEIGHT_PX, tokens, ("shape", "color"))


def _values(checks: pd.DataFrame, x: alt.X, y: alt.Y, tokens: Tokens) -> list[Any]:
    layers: list[Any] = []
    for side, dy in (("above", -13), ("below", 15)):
        layers += haloed_text(
            alt.Chart(checks[checks["side"] == side]),
            tokens,
            tokens.ink,
            {"dy": dy, "fontSize": 11, "clip": True},
            {"x": x, "y": y, "text": alt.Text("label:N")},
        )
    return layers
