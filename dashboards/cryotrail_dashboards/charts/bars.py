"""Freezes and thaws as bars in their probe's lane."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import time_axis
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.tokens import Tokens


def phase_bars(
    phases: pd.DataFrame,
    phase: str,
    height_px: int,
    font_px: int,
    y: alt.Y,
    view: View,
    tokens: Tokens,
) -> list[Any]:
    """The bars of one phase and their labels.

    :param phases: ``lane``, ``phase``, ``start_min``, ``stop_min``, ``label_stop_min``, ``label``,
        ``short_label``, ``detail``.
    :param phase: freeze or thaw; height doubles what colour says, the label's letter trebles it.
    """
    rows = phases[phases["phase"] == phase]
    fill, label = {
        "freeze": (tokens.freeze, tokens.freeze_label),
        "thaw": (tokens.thaw, tokens.thaw_label),
    }[phase]
    bar = (
        alt.Chart(rows)
        .mark_bar(height=height_px, clip=True, color=fill, stroke=tokens.ink, strokeWidth=0.5)
        .encode(
            x=time_axis("start_min", "clock", view),
            x2=alt.X2("stop_min:Q"),
            y=y,
            tooltip=alt.Tooltip("detail:N", title=phase),
        )
    )
    # The label stands in the middle of what the window shows of its bar and no other bar of the
    # lane covers, and only where it fits.
    low, high = view.from_min - 0.5, view.to_min + 1.0
    text = (
        alt.Chart(rows)
        .transform_calculate(
            left_min=f"max(datum.start_min, {low})", right_min=f"min(datum.label_stop_min, {high})"
        )
        .transform_calculate(
            middle_min="(datum.left_min + datum.right_min) / 2",
            share=f"(datum.right_min - datum.left_min) / {high - low}",
        )
        .transform_filter("datum.share > 0.015")
        .transform_calculate(shown="datum.share > 0.075 ? datum.label : datum.short_label")
        .mark_text(clip=True, color=label, fontSize=font_px, aria=False)
        .encode(x=time_axis("middle_min", "clock", view), y=y, text=alt.Text("shown:N"))
    )
    return [bar, text]


def open_ends(phases: pd.DataFrame, y: alt.Y, view: View, tokens: Tokens) -> list[Any]:
    """A question mark within its end says that a phase has no recorded stop.

    :param phases: ``lane``, ``phase``, ``stop_min``, ``is_open``, ``detail``.
    """
    return [
        alt.Chart(phases[phases["is_open"]])
        .mark_text(text="?", align="right", dx=-4, fontSize=14, fontWeight="bold", clip=True)
        .encode(
            x=time_axis("stop_min", "clock", view),
            y=y,
            color=alt.when(alt.datum.phase == "freeze")
            .then(alt.value(tokens.freeze_label))
            .otherwise(alt.value(tokens.thaw_label)),
            tooltip=alt.Tooltip("detail:N", title="no stop recorded"),
        )
    ]
