"""The margin at the last check of every procedure, beside the target."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cryotrail_dashboards.charts.axes import compose
from cryotrail_dashboards.charts.lanes import check_color, check_shape
from cryotrail_dashboards.charts.margin import TARGET_MM
from cryotrail_dashboards.tokens import Tokens

ROW_PX = 24
AXES_PX = 62


def margins_chart(frame: pd.DataFrame, tokens: Tokens) -> alt.LayerChart:
    """A point a procedure.

    :param frame: ``procedure_label``, ``last_margin_mm``, ``state``, ``label``.
    """
    rows = list(frame["procedure_label"])
    low = min([0.0, *frame["last_margin_mm"]])
    high = max([16.0, *(frame["last_margin_mm"] + 3)])
    x = alt.X(
        "last_margin_mm:Q",
        scale=alt.Scale(domain=[low - 1 if low < 0 else 0, high], nice=False),
        axis=alt.Axis(title="smallest margin at the last CT check (mm)", tickCount=8),
    )
    y = alt.Y(
        "procedure_label:N",
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=180, grid=True),
    )
    target = pd.DataFrame({"last_margin_mm": [float(TARGET_MM)]})
    base = alt.Chart(frame)
    layers = [
        alt.Chart(target)
        .mark_rule(color=tokens.target_reached, strokeDash=[6, 3], aria=False)
        .encode(x=x),
        base.mark_point(size=90, filled=True, opacity=1).encode(
            x=x,
            y=y,
            color=check_color(tokens),
            shape=check_shape(),
            tooltip=[
                alt.Tooltip("procedure_label:N", title="procedure"),
                alt.Tooltip("label:N", title="margin (mm)"),
            ],
        ),
        base.mark_text(align="left", dx=9, color=tokens.ink, fontSize=11, aria=False).encode(
            x=x, y=y, text=alt.Text("label:N")
        ),
    ]
    return compose(layers, ROW_PX * len(rows) + AXES_PX, tokens, ("shape", "color"))
