"""Procedure lengths: a histogram, and beneath it every procedure beside mean, range and the paper."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import compose, haloed_text
from cryotrail_dashboards.tokens import Tokens

BIN_MIN = 20
HISTOGRAM_PX = 190
STRIP_ROW_PX = 46
STRIP_AXES_PX = 56

ROW_AXIS: dict[str, Any] = {"minExtent": 168, "maxExtent": 168, "labelLimit": 160}
"""One left margin for charts that share an x axis, wide enough for the names of rows."""


def minutes_domain(values: list[float]) -> tuple[int, int]:
    """Whole bins around all values, those of the paper among them, with a bin of air."""
    low = math.floor(min(values) / BIN_MIN) * BIN_MIN
    high = math.ceil(max(values) / BIN_MIN) * BIN_MIN
    return max(0, low - BIN_MIN), high + BIN_MIN


def histogram_bins(durations_min: list[float], domain: tuple[int, int]) -> pd.DataFrame:
    """Procedures a bin: ``from_min``, ``to_min``, ``procedure_count``; from is in the bin."""
    edges = range(domain[0], domain[1], BIN_MIN)
    counted = [
        (edge, edge + BIN_MIN, sum(edge <= value < edge + BIN_MIN for value in durations_min))
        for edge in edges
    ]
    return pd.DataFrame(counted, columns=["from_min", "to_min", "procedure_count"])


def duration_histogram(
    bins: pd.DataFrame, domain: tuple[int, int], tokens: Tokens
) -> alt.LayerChart:
    """The histogram.

    :param bins: as :func:`histogram_bins` makes them.
    """
    filled = bins[bins["procedure_count"] > 0]

    def x(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            scale=alt.Scale(domain=list(domain), nice=False),
            axis=alt.Axis(labels=False, ticks=False, title=None, values=_ticks(domain)),
        )

    top = max(1, int(bins["procedure_count"].max()))
    y = alt.Y(
        "procedure_count:Q",
        scale=alt.Scale(domain=[0, top * 1.2]),
        axis=alt.Axis(title="procedures", tickMinStep=1, tickCount=min(top, 5), **ROW_AXIS),
    )
    base = alt.Chart(filled)
    bars = base.mark_bar(color=tokens.measured, stroke=tokens.page, strokeWidth=1).encode(
        x=x("from_min"),
        x2=alt.X2("to_min:Q"),
        y=y,
        y2=alt.Y2Datum(0),
        tooltip=[
            alt.Tooltip("from_min:Q", title="from (min)"),
            alt.Tooltip("to_min:Q", title="to under (min)"),
            alt.Tooltip("procedure_count:Q", title="procedures"),
        ],
    )
    labels = (
        base.transform_calculate(middle_min=f"datum.from_min + {BIN_MIN / 2}")
        .mark_text(dy=-8, color=tokens.ink, fontSize=12)
        .encode(x=x("middle_min"), y=y, text=alt.Text("procedure_count:Q"))
    )
    return compose([bars, labels], HISTOGRAM_PX, tokens)


def duration_strip(
    procedures: pd.DataFrame,
    spans: pd.DataFrame,
    rows: list[str],
    domain: tuple[int, int],
    tokens: Tokens,
) -> alt.LayerChart:
    """Every procedure as a tick, and mean and range of this cohort and of the paper.

    :param procedures: ``row``, ``duration_min``, ``procedure_label``.
    :param spans: ``row``, ``minimum_min``, ``mean_min``, ``maximum_min``, ``text``,
        ``is_published``.
    :param rows: all rows from top to bottom.
    """

    def x(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            scale=alt.Scale(domain=list(domain), nice=False),
            axis=alt.Axis(title="procedure length (min)", values=_ticks(domain)),
        )

    y = alt.Y(
        "row:N",
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(title=" ", domain=False, ticks=False, **ROW_AXIS),
    )
    ticks = (
        alt.Chart(procedures)
        .mark_tick(color=tokens.ink, thickness=2, size=22)
        .encode(
            x=x("duration_min"),
            y=y,
            tooltip=[
                alt.Tooltip("procedure_label:N", title="procedure"),
                alt.Tooltip("duration_min:Q", title="length (min)"),
            ],
        )
    )
    layers: list[Any] = [ticks]
    for is_published, color, dash in (
        (False, tokens.measured, [1, 0]),
        (True, tokens.published, [5, 3]),
    ):
        base = alt.Chart(spans[spans["is_published"] == is_published])
        line = base.mark_rule(color=color, strokeWidth=3, strokeDash=dash, aria=False)
        mean = base.mark_point(shape="diamond", size=120, filled=True, color=color, opacity=1)
        layers += [
            line.encode(x=x("minimum_min"), x2=alt.X2("maximum_min:Q"), y=y),
            mean.encode(x=x("mean_min"), y=y, tooltip=alt.Tooltip("text:N", title="figure")),
            *haloed_text(
                base,
                tokens,
                tokens.ink,
                {"dy": -13, "fontSize": 12, "align": "left"},
                {"x": x("mean_min"), "y": y, "text": alt.Text("text:N")},
            ),
        ]
    height = STRIP_ROW_PX * len(rows) + STRIP_AXES_PX
    return compose(layers, height, tokens)


def _ticks(domain: tuple[int, int]) -> list[int]:
    return list(range(domain[0], domain[1] + 1, BIN_MIN))
