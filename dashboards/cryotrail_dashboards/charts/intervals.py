"""Shares of procedures with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import compose, haloed_text
from cryotrail_dashboards.tokens import Tokens

ROW_PX = 44
AXES_PX = 60


def interval_chart(frame: pd.DataFrame, tokens: Tokens) -> alt.LayerChart:
    """A point and an interval a row.

    :param frame: ``label``, ``share``, ``lower_95``, ``upper_95`` (shares of 1), ``text``.
    """
    rows = list(frame["label"])
    percent = frame.assign(
        share_pct=100 * frame["share"],
        lower_pct=100 * frame["lower_95"],
        upper_pct=100 * frame["upper_95"],
    )

    def x(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            scale=alt.Scale(domain=[-1.5, 100], nice=False),
            axis=alt.Axis(
                title="share of procedures (%), 95 % Wilson interval",
                values=list(range(0, 101, 10)),
            ),
        )

    y = alt.Y(
        "label:N",
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=180),
    )
    base = alt.Chart(percent)
    layers = [
        base.mark_rule(color=tokens.measured, strokeWidth=3, aria=False).encode(
            x=x("lower_pct"), x2=alt.X2("upper_pct:Q"), y=y
        ),
        base.mark_point(size=110, filled=True, color=tokens.measured, opacity=1).encode(
            x=x("share_pct"), y=y, tooltip=alt.Tooltip("text:N", title="share")
        ),
        *_texts(percent, x, y, tokens),
    ]
    return compose(layers, ROW_PX * len(rows) + AXES_PX, tokens)


def _texts(percent: pd.DataFrame, x: Callable[[str], alt.X], y: alt.Y, tokens: Tokens) -> list[Any]:
    """The texts above their intervals, running away from the nearer edge of the chart."""
    is_right = percent["lower_pct"] > 50
    layers: list[Any] = []
    for rows, field, align in (
        (percent[~is_right], "lower_pct", "left"),
        (percent[is_right], "upper_pct", "right"),
    ):
        layers += haloed_text(
            alt.Chart(rows),
            tokens,
            tokens.ink,
            {"align": align, "dy": -12, "fontSize": 12},
            {"x": x(field), "y": y, "text": alt.Text("text:N")},
        )
    return layers
