"""The bands before and after the day, which are not to scale."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import Row, time_axis
from cryotrail_dashboards.timeline import View
from cryotrail_dashboards.tokens import Tokens


def bands(row: Row, view: View, tokens: Tokens) -> alt.Chart:
    """The shaded bands before and after the day; empty where none is drawn."""
    drawn = [band for band in (view.before_band_min, view.after_band_min) if band]
    frame = pd.DataFrame(drawn, columns=["band_from", "band_to"], dtype="float64")
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_rect(color=tokens.band, clip=True, aria=False)
        .encode(x=time_axis("band_from", row, view), x2=alt.X2("band_to:Q"))
    )
    return chart


def band_texts(outside: pd.DataFrame, y: alt.Y, view: View, tokens: Tokens) -> list[Any]:
    """The names of the bands, above the panel, and their entries, one in a lane.

    :param outside: ``lane``, ``x_min``, ``text``, ``is_complication``, ``detail``.
    """
    titles = pd.DataFrame(
        [
            {"x_min": sum(band) / 2, "text": text}
            for band, text in (
                (view.before_band_min, "before"),
                (view.after_band_min, "after"),
            )
            if band
        ],
        columns=["x_min", "text"],
    )
    title = (
        alt.Chart(titles)
        .mark_text(y=0, dy=-11, fontSize=12, fontStyle="italic", color=tokens.muted)
        .encode(x=time_axis("x_min", "clock", view), text=alt.Text("text:N"))
    )
    entries = [
        alt.Chart(outside[outside["is_complication"] == is_complication])
        .mark_text(
            fontSize=11,
            lineBreak="\n",
            lineHeight=13,
            dy=-6,
            clip=True,
            color=tokens.complication if is_complication else tokens.ink,
            fontWeight="bold" if is_complication else "normal",
        )
        .encode(
            x=time_axis("x_min", "clock", view),
            y=y,
            text=alt.Text("text:N"),
            tooltip=alt.Tooltip("detail:N", title="outside the procedure"),
        )
        for is_complication in (False, True)
    ]
    return [title, *entries]
