"""How many procedures: a bar a value, with its count written at its end."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import compose
from cryotrail_dashboards.tokens import Tokens

ROW_PX = 34
AXES_PX = 56


def count_chart(frame: pd.DataFrame, tokens: Tokens) -> alt.LayerChart:
    """The bars.

    :param frame: ``label``, ``procedure_count``, ``text``; in the order to show.
    """
    rows = list(frame["label"])
    top = int(frame["procedure_count"].max()) if rows else 1
    base = alt.Chart(frame).encode(
        x=alt.X(
            "procedure_count:Q",
            scale=alt.Scale(domain=[0, top * 1.25], nice=False),
            axis=alt.Axis(title="procedures", tickMinStep=1, tickCount=min(top, 6)),
        ),
        y=alt.Y(
            "label:N",
            sort=rows,
            scale=alt.Scale(domain=rows),
            axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=180),
        ),
    )
    bars = base.mark_bar(color=tokens.measured, height=18).encode(
        tooltip=[alt.Tooltip("label:N", title="group"), alt.Tooltip("text:N", title="procedures")]
    )
    labels = base.mark_text(align="left", dx=6, color=tokens.ink, fontSize=12).encode(
        text=alt.Text("text:N")
    )
    return compose([bars, labels], ROW_PX * len(rows) + AXES_PX, tokens)
