"""Procedure lengths of the cohort beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from cryotrail_dashboards.charts.durations import (
    duration_histogram,
    duration_strip,
    histogram_bins,
    minutes_domain,
)
from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.layout import show_twin
from cryotrail_dashboards.units import number, span, words
from cryotrail_warehouse.published_series import CITATION, PUBLISHED

DEFINITION = "ProcedureStarted (first skin puncture) to ProcedureEnded"


def show_durations(
    procedures: pd.DataFrame,
    durations: pd.DataFrame,
    drawing: Drawing,
) -> None:
    """Histogram, every procedure as a tick, mean and range beside the published band."""
    st.subheader("Procedure length")
    ended = procedures[procedures["duration_min"].notna()]
    if ended.empty:
        st.info("No procedure has both a start and an end yet.")
        return
    st.markdown(
        f"Unit: procedure. Length = {DEFINITION}; the paper defines neither its start nor its end, "
        f"so the dashed band ({CITATION}) is context, not a limit."
    )
    spans = span_rows(durations)
    ticks = ended.assign(row=[words(tissue) for tissue in ended["tissue"]])
    rows = [*dict.fromkeys(sorted(ticks["row"])), *spans["row"]]
    domain = minutes_domain([*ended["duration_min"], *spans["minimum_min"], *spans["maximum_min"]])
    whole = durations[durations["group_value"] == "ALL"].iloc[0]
    text = f"{len(ended)} procedures, {spans.iloc[0]['text']}; {spans.iloc[1]['text']}."
    with st.container(gap="small"):
        bins = histogram_bins(list(ended["duration_min"]), domain)
        drawing.show("durations", lambda tokens: duration_histogram(bins, domain, tokens), text)
        drawing.show(
            "duration strip",
            lambda tokens: duration_strip(ticks, spans, rows, domain, tokens),
            f"Every procedure by tissue. {text}",
        )
    if whole["n"] < 5:
        st.warning("Fewer than 5 procedures: read the values, not their mean.")
    show_twin(
        duration_rows(durations),
        "duration table",
        {
            "group": "Group",
            "n": "n",
            "total": "Sum (min)",
            "mean": "Mean (min)",
            "range": "Range (min)",
            "median": "Median (min)",
            "quartiles": "Quartiles (min)",
            "sd": "SD (min)",
        },
    )


def span_rows(durations: pd.DataFrame) -> pd.DataFrame:
    """Mean and range of this cohort, then of the paper, as the strip draws them."""
    whole = durations[durations["group_value"] == "ALL"].iloc[0]
    measured = {key: float(whole[f"{key}_min"]) for key in ("minimum", "mean", "maximum")}
    series = {figure.key: figure.value for figure in PUBLISHED}
    published = {key: series[f"duration_min.{key}"] for key in measured}
    return pd.DataFrame(
        [
            _span("this cohort", int(whole["n"]), measured, False),
            _span("published", int(series["procedures"]), published, True),
        ]
    )


def _span(name: str, n: int, of: Mapping[str, float], is_published: bool) -> dict[str, object]:
    return {
        "row": f"{name} (n = {n})",
        "minimum_min": of["minimum"],
        "mean_min": of["mean"],
        "maximum_min": of["maximum"],
        "text": f"{name}: mean {number(of['mean'])} min ({span(of['minimum'], of['maximum'])})",
        "is_published": is_published,
    }


def duration_rows(durations: pd.DataFrame) -> pd.DataFrame:
    """The table's rows: all procedures first, then by tissue, rounded as printed."""
    return pd.DataFrame(
        [
            {
                "group": "all" if row["group_value"] == "ALL" else words(row["group_value"]),
                "n": int(row["n"]),
                "total": number(row["total_min"], 0),
                "mean": number(row["mean_min"]),
                "range": span(row["minimum_min"], row["maximum_min"]),
                "median": number(row["median_min"]),
                "quartiles": f"{number(row['q1_min'])}; {number(row['q3_min'])}",
                "sd": number(row["sd_min"]),
            }
            for row in durations.to_dict("records")
        ]
    )
