"""How many procedures had a complication, with the interval that so few procedures allow."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cryotrail_dashboards.charts.intervals import interval_chart
from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.layout import show_twin
from cryotrail_dashboards.units import share, words


def show_complications(complications: pd.DataFrame, drawing: Drawing) -> None:
    """A share with its Wilson interval a kind, and what is known of gradings."""
    st.subheader("Complications")
    if complications.empty:
        st.info("No procedure has started yet.")
        return
    rows = complication_rows(complications)
    overall = complications.iloc[0]
    ungraded = int(overall["complication_count"] - overall["graded_count"])
    st.markdown(
        f"Unit: procedure; a procedure counts once a kind, whenever the complication arose. "
        f"{int(overall['complication_count'])} complications were reported, {ungraded} of them "
        "without a grading on any scale."
    )
    drawing.show(
        "complications",
        lambda tokens: interval_chart(rows, tokens),
        f"{rows.iloc[0]['label']}: {rows.iloc[0]['text']}.",
    )
    show_twin(
        rows,
        "complication table",
        {"label": "Complication", "k": "Procedures", "n": "of n", "text": "Share"},
    )


def complication_rows(complications: pd.DataFrame) -> pd.DataFrame:
    """``label``, ``k``, ``n``, ``share``, ``lower_95``, ``upper_95``, ``text``."""
    return complications.assign(
        label=[
            "any complication" if kind == "ANY" else words(kind) for kind in complications["kind"]
        ],
        text=[
            share(int(row["k"]), int(row["n"]), row["lower_95"], row["upper_95"])
            for row in complications.to_dict("records")
        ],
    )
