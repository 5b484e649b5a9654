"""Overall survival by Kaplan and Meier, and the numbers at risk beneath it."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import compose, haloed_text
from cryotrail_dashboards.tokens import Tokens

CURVE_PX = 320
AT_RISK_PX = 66

_EXTENT: dict[str, Any] = {"minExtent": 92, "maxExtent": 92, "titlePadding": 10}


def months_domain(survival: pd.DataFrame) -> tuple[float, float]:
    """From 0 to the whole year at or after the last time, with air for numbers at both ends."""
    last = float(survival["time_months"].max()) if not survival.empty else 12.0
    return -1.5, 12.0 * -(-last // 12) + 1.5


def _time(survival: pd.DataFrame, has_labels: bool) -> alt.X:
    domain = months_domain(survival)
    return alt.X(
        "time_months:Q",
        scale=alt.Scale(domain=list(domain), nice=False),
        axis=alt.Axis(
            title="months since the first treatment" if has_labels else None,
            labels=has_labels,
            ticks=has_labels,
            values=list(range(0, int(domain[1]) + 1, 12)),
        ),
    )


def survival_chart(
    survival: pd.DataFrame, median_text: str | None, tokens: Tokens
) -> alt.LayerChart:
    """The curve with its limits, a tick at each censored subject, and the median.

    :param survival: rows of ``cohort_survival`` in order of time.
    :param median_text: what to write at the median; None when it was not reached.
    """
    x = _time(survival, has_labels=True)

    def y(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            scale=alt.Scale(domain=[0, 1.05], nice=False),
            axis=alt.Axis(
                title="overall survival", format=".0%", values=[0, 0.25, 0.5, 0.75, 1], **_EXTENT
            ),
        )

    base = alt.Chart(survival)
    limits = alt.Chart(survival[survival["lower_95"].notna()])
    layers: list[Any] = [
        limits.mark_area(
            interpolate="step-after", color=tokens.measured, opacity=0.16, aria=False
        ).encode(x=x, y=y("lower_95"), y2=alt.Y2("upper_95:Q")),
        base.mark_line(
            interpolate="step-after",
            color=tokens.measured,
            strokeWidth=2.5,
            description="Kaplan-Meier estimate",
        ).encode(x=x, y=y("survival")),
        alt.Chart(survival[survival["censored"] > 0])
        .mark_tick(orient="vertical", size=14, thickness=2, color=tokens.ink)
        .encode(
            x=x,
            y=y("survival"),
            tooltip=[
                alt.Tooltip("time_months:Q", title="last seen alive at (months)"),
                alt.Tooltip("censored:Q", title="subjects"),
            ],
        ),
    ]
    if median_text is not None:
        layers += _median(survival, median_text, x, y("survival"), tokens)
    return compose(layers, CURVE_PX, tokens)


def _median(survival: pd.DataFrame, text: str, x: alt.X, y: alt.Y, tokens: Tokens) -> list[Any]:
    months = float(survival["median_months"].iloc[0])
    across = pd.DataFrame({"time_months": [0.0, months], "survival": [0.5, 0.5]})
    down = pd.DataFrame({"time_months": [months, months], "survival": [0.5, 0.0]})
    rules = [
        alt.Chart(leg)
        .mark_line(color=tokens.threshold, strokeDash=[6, 3], aria=False)
        .encode(x=x, y=y)
        for leg in (across, down)
    ]
    label = pd.DataFrame({"time_months": [months], "survival": [0.5], "text": [text]})
    return [
        *rules,
        *haloed_text(
            alt.Chart(label),
            tokens,
            tokens.threshold,
            {"align": "left", "dx": 8, "dy": -10, "fontSize": 12, "fontWeight": "bold"},
            {"x": x, "y": y, "text": alt.Text("text:N")},
        ),
    ]


def at_risk_chart(survival: pd.DataFrame, tokens: Tokens) -> alt.LayerChart:
    """Subjects at risk and deaths so far at each year, under the curve's own time axis.

    :param survival: rows of ``cohort_survival`` in order of time.
    """
    rows = ["at risk", "deaths so far"]
    years = survival.assign(deaths_so_far=survival["deaths"].cumsum())
    years = years[years["is_year_mark"]]
    long = pd.concat(
        [
            years.assign(row=row, count=years[column])[["time_months", "row", "count"]]
            for row, column in zip(rows, ("at_risk", "deaths_so_far"), strict=True)
        ]
    )
    y = alt.Y(
        "row:N",
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(title=" ", domain=False, ticks=False, **_EXTENT),
    )
    bare = _time(survival, has_labels=False)
    numbers = (
        alt.Chart(long)
        .mark_text(fontSize=13, color=tokens.ink)
        .encode(x=bare, y=y, text=alt.Text("count:Q"))
    )
    return compose([numbers], AT_RISK_PX, tokens)
