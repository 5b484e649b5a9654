"""The margin at the last check of each procedure."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cryotrail_dashboards.charts.margin import TARGET_MM
from cryotrail_dashboards.charts.margins import margins_chart
from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.layout import show_twin
from cryotrail_dashboards.units import number


def show_margins(procedures: pd.DataFrame, drawing: Drawing) -> None:
    """A point a procedure beside the target, and how many reached it."""
    st.subheader("Margin at the last check")
    rows = margin_rows(procedures)
    if rows.empty:
        st.info("No margin has been measured yet.")
        return
    reached = int((rows["state"] == "reached").sum())
    unmeasured = len(procedures) - len(rows)
    line = f"{reached} of {len(rows)} procedures reached {TARGET_MM} mm at their last check"
    st.markdown(
        f"Unit: procedure. {line}"
        + (f"; {unmeasured} more have no measured margin." if unmeasured else ".")
        + " Margin = the smallest one measured at the last CT check of the last cycle."
    )
    drawing.show("margins", lambda tokens: margins_chart(rows, tokens), f"{line}.")
    show_twin(
        rows,
        "margin table",
        {"procedure_label": "Procedure", "label": "Margin (mm)", "state": "Target"},
    )


def margin_rows(procedures: pd.DataFrame) -> pd.DataFrame:
    """``procedure_label``, ``last_margin_mm``, ``state``, ``label`` of those with a margin."""
    known = procedures[procedures["last_margin_mm"].notna()]
    return known.assign(
        state=["reached" if mm >= TARGET_MM else "below" for mm in known["last_margin_mm"]],
        label=[number(mm) for mm in known["last_margin_mm"]],
    )
