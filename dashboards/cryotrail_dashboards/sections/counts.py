"""Probes and completed cycles of the cohort's procedures."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cryotrail_dashboards.charts.counts import count_chart
from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.layout import show_twin
from cryotrail_dashboards.units import number, span, words


def show_counts(counts: pd.DataFrame, drawing: Drawing) -> None:
    """Probes a procedure on the left, completed cycles by tissue on the right."""
    if counts.empty:
        return
    left, right = st.columns(2)
    with left:
        st.subheader("Probes")
        probes = counts[(counts["measure"] == "probe_count") & (counts["group_value"] == "ALL")]
        _show(count_rows(probes, "probe"), probes, "probes", drawing)
    with right:
        st.subheader("Completed cycles")
        cycles = counts[(counts["measure"] == "cycle_count") & (counts["group_value"] != "ALL")]
        _show(count_rows(cycles, "cycle"), cycles, "cycles", drawing)


def _show(rows: pd.DataFrame, counts: pd.DataFrame, key: str, drawing: Drawing) -> None:
    groups = counts.drop_duplicates("group_value").to_dict("records")
    total, n = sum(g["total"] for g in groups), sum(g["n"] for g in groups)
    low, high = min(g["minimum"] for g in groups), max(g["maximum"] for g in groups)
    line = f"{total} {key} in {n} procedures: mean {number(total / n)} ({span(low, high)})"
    st.markdown(f"Unit: procedure. {line}.")
    drawing.show(key, lambda tokens: count_chart(rows, tokens), f"{line}.")
    show_twin(
        rows, f"{key} table", {"label": "Group", "procedure_count": "Procedures", "n": "of n"}
    )


def count_rows(counts: pd.DataFrame, noun: str) -> pd.DataFrame:
    """``label``, ``procedure_count``, ``n``, ``text``: a row a value and, where given, a tissue."""
    rows = []
    for row in counts.to_dict("records"):
        value = int(row["value"])
        group = "" if row["group_value"] == "ALL" else f", {words(row['group_value'])}"
        rows.append(
            {
                "label": f"{value} {noun}{'' if value == 1 else 's'}{group}",
                "procedure_count": int(row["procedure_count"]),
                "n": int(row["n"]),
                "text": f"{int(row['procedure_count'])} of {int(row['n'])}",
            }
        )
    return pd.DataFrame(rows, columns=["label", "procedure_count", "n", "text"])
