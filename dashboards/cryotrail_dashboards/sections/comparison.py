"""The reconstructed cohort's figures beside those of the published series."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from cryotrail_dashboards.layout import show_table
from cryotrail_dashboards.units import ABSENT, number
from cryotrail_warehouse.cohort_figures import Comparison, compare
from cryotrail_warehouse.published_series import CITATION

COLUMNS = {
    "figure": "Figure",
    "analysis_unit": "Per",
    "published": "Series",
    "measured": "Measured here",
    "equal": "Equal",
    "source": "Source",
}


def show_comparison(path: Path, identity: tuple[object, ...]) -> None:
    """Every figure of the series beside what this publication holds, and how many are equal.

    :param path: the published file.
    :param identity: what tells this publication from others.
    """
    st.subheader("Measured beside published")
    comparisons = _compare(identity, path)
    printed = [c for c in comparisons if c.figure.source != "reconstruction"]
    own = [c for c in comparisons if c.figure.source == "reconstruction"]
    st.markdown(
        f"{_equal(printed)} figures that {CITATION} prints (published) or that follow from its "
        "printed counts and means (implied) are equal, each rounded as printed."
    )
    show_table(comparison_rows(printed), "published figures", COLUMNS)
    with st.expander(f"Figures of the reconstruction alone: {_equal(own)} equal"):
        st.markdown(
            "The paper does not print these. They follow from the reconstructed rows and test "
            "the software; they say nothing about the centre."
        )
        show_table(comparison_rows(own), "reconstruction figures", COLUMNS)


def comparison_rows(comparisons: list[Comparison]) -> pd.DataFrame:
    """The table's rows: both values rounded as printed, with their unit."""

    def text(value: float | None, comparison: Comparison) -> str:
        if value is None:
            return ABSENT
        unit = comparison.figure.unit
        return number(value, comparison.figure.decimals) + (
            f" {_UNITS.get(unit, unit)}" if unit else ""
        )

    return pd.DataFrame(
        [
            {
                "figure": c.figure.label,
                "analysis_unit": c.figure.analysis_unit,
                "published": text(c.figure.value, c),
                "measured": text(c.measured, c),
                "equal": "yes" if c.equal else "NO",
                "source": c.figure.source,
            }
            for c in comparisons
        ],
        columns=list(COLUMNS),
    )


_UNITS = {"a": "years", "mo": "months"}
"""UCUM codes as people read them; the others read well as they are."""


def _equal(comparisons: list[Comparison]) -> str:
    return f"{sum(c.equal for c in comparisons)} of {len(comparisons)}"


@st.cache_data(max_entries=8, show_spinner=False)
def _compare(identity: tuple[object, ...], _path: Path) -> list[Comparison]:
    return compare(_path)
