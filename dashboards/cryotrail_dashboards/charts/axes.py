"""What the three panels of a timeline share: one time axis, one left margin, one look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.tokens import Tokens

Row = Literal["clock", "bare", "elapsed"]
"""Which labels a panel's time axis carries: the site's clock, none, or elapsed minutes."""

Y_AXIS: dict[str, Any] = {"minExtent": 92, "maxExtent": 92, "titlePadding": 10}
"""One left margin for all panels: fixed extents alone make their plot areas line up."""


def time_axis(field: str, row: Row, view: View) -> alt.X:
    """The panel's x channel: quantitative minutes since the start event.

    It is no temporal axis: the clock is only a label on the minutes, so a browser's zone cannot
    move it.
    """
    shown: dict[str, Any] = {
        "values": view.tick_minutes,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
    }
    axis = {
        "clock": alt.Axis(
            orient="top",
            grid=True,
            title=view.clock_title,
            labelExpr=f"utcFormat({view.local_start_ms:.0f} + datum.value * 60000, '%H:%M')",
            **shown,
        ),
        "bare": alt.Axis(labels=False, ticks=False, title=None, domain=False, **shown),
        "elapsed": alt.Axis(
            orient="bottom",
            title="minutes since ProcedureStarted (first skin puncture)",
            labelExpr="(datum.value < 0 ? 'T\u2212' : 'T+') + abs(datum.value)",
            **shown,
        ),
    }[row]
    return alt.X(
        f"{field}:Q",
        scale=alt.Scale(domain=list(view.domain_min), nice=False),
        axis=axis,
    )


def complication_rules(complications: pd.DataFrame, row: Row, view: View, tokens: Tokens) -> Any:
    """A dashed rule at each complication of the day, through the whole height of a panel.

    :param complications: ``t_min``.
    """
    return (
        alt.Chart(complications)
        .mark_rule(
            color=tokens.complication, strokeWidth=2, strokeDash=[5, 3], clip=True, aria=False
        )
        .encode(x=time_axis("t_min", row, view))
    )


def haloed_text(
    base: alt.Chart, tokens: Tokens, color: str, mark: dict[str, Any], encoding: dict[str, Any]
) -> list[Any]:
    """A text that breaks whatever line lies behind it: first its halo, then itself.

    :param mark: arguments of ``mark_text``.
    :param encoding: arguments of ``encode``.
    """
    silent = {name: channel for name, channel in encoding.items() if name != "tooltip"}
    halo = base.mark_text(
        **mark, color=tokens.page, stroke=tokens.page, strokeWidth=5, strokeJoin="round", aria=False
    )
    return [halo.encode(**silent), base.mark_text(**mark, color=color).encode(**encoding)]


def compose(
    layers: Sequence[Any], height_px: int, tokens: Tokens, independent: Sequence[str] = ()
) -> alt.LayerChart:
    """Lay layers over each other, from bottom to top, in the page's font and the theme's colours.

    Drawn as SVG, which keeps axes and marks readable to assistive technology.

    :param height_px: height with the axes: in a stretched chart they are part of it.
    :param independent: channels of which each layer keeps its own scale; layers that share one
        would merge their domains, and circles become triangles.
    """
    chart: Any = alt.layer(*layers)
    if independent:
        chart = chart.resolve_scale(**dict.fromkeys(independent, "independent"))
    finished: alt.LayerChart = (
        chart.properties(height=height_px, usermeta={"embedOptions": {"renderer": "svg"}})
        .configure(
            background="transparent",
            font="'Source Sans', sans-serif",
            padding={"left": 0, "right": 8, "top": 4, "bottom": 4},
        )
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=tokens.muted,
            titleColor=tokens.muted,
            labelFontSize=12,
            titleFontSize=13,
            titleFontWeight="normal",
            labelPadding=6,
            gridColor=tokens.grid,
            domainColor=tokens.grid,
            tickColor=tokens.grid,
        )
    )
    return finished
