"""Overall survival of the cohort's subjects."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cryotrail_dashboards.charts.survival import at_risk_chart, survival_chart
from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.layout import show_twin
from cryotrail_dashboards.units import ABSENT, number


def show_survival(survival: pd.DataFrame, drawing: Drawing) -> None:
    """The Kaplan-Meier curve, numbers at risk beneath it, and its rows as a table."""
    st.subheader("Overall survival")
    if survival.empty:
        st.info("No subject has a known follow-up yet.")
        return
    n, deaths = int(survival["n"].iloc[0]), int(survival["deaths"].sum())
    median = median_text(survival)
    st.markdown(
        f"Unit: subject (n = {n}, {deaths} deaths of any cause); a subject treated twice counts "
        "once, from the first treatment. Kaplan–Meier estimate with log-log 95 % limits; small "
        "upright ticks are subjects last seen alive."
    )
    drawing.show(
        "survival",
        lambda tokens: survival_chart(survival, median, tokens),
        f"Kaplan-Meier curve of {n} subjects, {median or 'median not reached'}.",
    )
    drawing.show(
        "at risk",
        lambda tokens: at_risk_chart(survival, tokens),
        "Numbers at risk at each year.",
    )
    show_twin(
        survival_rows(survival),
        "survival table",
        {
            "months": "Months",
            "at_risk": "At risk",
            "deaths": "Deaths",
            "censored": "Last seen alive",
            "survival": "S(t)",
            "limits": "95 % limits",
        },
    )


def median_text(survival: pd.DataFrame) -> str | None:
    """``median 35 months (2 at risk)``; None while the curve stays above one half."""
    months = survival["median_months"].iloc[0]
    if pd.isna(months):
        return None
    decimals = 0 if months == int(months) else 1
    at_risk = int(survival["at_risk_at_median"].iloc[0])
    return f"median {number(months, decimals)} months ({at_risk} at risk)"


def survival_rows(survival: pd.DataFrame) -> pd.DataFrame:
    """The table's rows, rounded as printed."""
    return survival.assign(
        months=[number(t) for t in survival["time_months"]],
        survival=[number(s, 4) for s in survival["survival"]],
        limits=[
            ABSENT if pd.isna(low) else f"{number(low, 3)}–{number(high, 3)}"
            for low, high in zip(survival["lower_95"], survival["upper_95"], strict=True)
        ],
    )
