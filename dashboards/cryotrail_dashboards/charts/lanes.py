"""The top panel: what happened when, a lane for events, one for each probe, one for CT."""

from __future__ import annotations

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
from cryotrail_dashboards.charts.bands import band_texts, bands
from cryotrail_dashboards.charts.bars import open_ends, phase_bars
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.tokens import Tokens

EVENTS_LANE = "Events"
CT_LANE = "CT"

LANE_PX = 34
AXES_PX = 66
"""In a stretched chart the height includes the axes: without these the lanes would overlap."""

CHECK_STATES = ("reached", "below", "no margin")
"""A CT whose smallest margin is at least 10 mm, below 10 mm, or was not measured."""

CHECK_SHAPES = ("circle", "diamond", "square")


def lane_height_px(lane_count: int) -> int:
    """Height to give the panel with that many lanes."""
    return LANE_PX * lane_count + AXES_PX


def check_color(tokens: Tokens) -> alt.Color:
    """Colour of a CT by its state, the same whichever states occur."""
    colors = [tokens.target_reached, tokens.below_target, tokens.muted]
    return alt.Color(
        "state:N", scale=alt.Scale(domain=list(CHECK_STATES), range=colors), legend=None
    )


def check_shape() -> alt.Shape:
    """Shape of a CT by its state: what colour says, for eyes that do not see it."""
    return alt.Shape(
        "state:N", scale=alt.Scale(domain=list(CHECK_STATES), range=list(CHECK_SHAPES)), legend=None
    )


def lanes_chart(
    lanes: list[str],
    phases: pd.DataFrame,
    marks: pd.DataFrame,
    ct: pd.DataFrame,
    complications: pd.DataFrame,
    outside: pd.DataFrame,
    view: View,
    tokens: Tokens,
) -> alt.LayerChart:
    """The lanes panel.

    :param lanes: all lanes from top to bottom.
    :param phases: ``lane``, ``phase`` (freeze, thaw), ``start_min``, ``stop_min``, ``label``,
        ``is_open``, ``detail``.
    :param marks: ``lane``, ``t_min``, ``shape``, ``text``, ``detail``.
    :param ct: ``lane``, ``t_min``, ``state``, ``detail``.
    :param complications: ``lane``, ``t_min``, ``text``, ``align``, ``detail``.
    :param outside: what stands in the bands: ``lane``, ``x_min``, ``text``, ``is_complication``.
    """
    y = alt.Y(
        "lane:N",
        sort=lanes,
        scale=alt.Scale(domain=lanes),
        axis=alt.Axis(title=" ", domain=False, ticks=False, labelLimit=88, **Y_AXIS),
    )
    layers: list[Any] = [
        bands("clock", view, tokens),
        # Beneath the bars: a rule that is broken behind a bar crosses no bar's label.
        complication_rules(complications, "clock", view, tokens),
        *phase_bars(phases, "freeze", 22, 11, y, view, tokens),
        *phase_bars(phases, "thaw", 14, 10, y, view, tokens),
        *open_ends(phases, y, view, tokens),
        *_mark_layers(marks, y, view, tokens),
        alt.Chart(ct)
        .mark_point(size=70, filled=True, opacity=1, clip=True)
        .encode(
            x=time_axis("t_min", "clock", view),
            y=y,
            color=check_color(tokens),
            shape=check_shape(),
            tooltip=alt.Tooltip("detail:N", title="CT"),
        ),
        *_complication_texts(complications, y, view, tokens),
        *band_texts(outside, y, view, tokens),
    ]
    return compose(layers, lane_height_px(len(lanes)), tokens, ("shape", "color"))


def _mark_layers(marks: pd.DataFrame, y: alt.Y, view: View, tokens: Tokens) -> list[Any]:
    symbols = ["triangle-down", "triangle-up", "triangle-right", "square"]
    is_symbol = marks["shape"].isin(symbols)
    detail = alt.Tooltip("detail:N", title="event")
    other = (
        alt.Chart(marks[~is_symbol])
        .mark_circle(size=28, opacity=1, color=tokens.ink, clip=True)
        .encode(x=time_axis("t_min", "clock", view), y=y, tooltip=detail)
    )
    symbol = (
        alt.Chart(marks[is_symbol])
        .mark_point(size=80, filled=True, opacity=1, color=tokens.ink, clip=True)
        .encode(
            x=time_axis("t_min", "clock", view),
            y=y,
            shape=alt.Shape("shape:N", scale=alt.Scale(domain=symbols, range=symbols), legend=None),
            tooltip=detail,
        )
    )
    texts: list[Any] = []
    for shape, align, dx in (("triangle-right", "left", 8), ("square", "right", -8)):
        texts += haloed_text(
            alt.Chart(marks[marks["shape"] == shape]),
            tokens,
            tokens.ink,
            {"align": align, "dx": dx, "fontSize": 11, "clip": True},
            {"x": time_axis("t_min", "clock", view), "y": y, "text": alt.Text("text:N")},
        )
    return [other, symbol, *texts]


def _complication_texts(
    complications: pd.DataFrame, y: alt.Y, view: View, tokens: Tokens
) -> list[Any]:
    layers: list[Any] = []
    for align, dx in (("left", 7), ("right", -7)):
        layers += haloed_text(
            alt.Chart(complications[complications["align"] == align]),
            tokens,
            tokens.complication,
            {"align": align, "dx": dx, "fontSize": 11, "fontWeight": "bold", "clip": True},
            {
                "x": time_axis("t_min", "clock", view),
                "y": y,
                "text": alt.Text("text:N"),
                "tooltip": alt.Tooltip("detail:N", title="complication"),
            },
        )
    return layers
