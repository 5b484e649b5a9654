"""Corrections of a procedure: original and current value side by side, and what is to be decided."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.clock import site_time
from cryotrail_dashboards.layout import show_table
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.units import ABSENT, words


def show_undecided(corrections: pd.DataFrame) -> None:
    """Name the values that two amendments replaced without knowing of each other, if there are."""
    if corrections.empty:
        return
    open_ones = corrections[corrections["is_concurrent"]]
    for (event_type, path), given in open_ones.groupby(["target_event_type", "path"], sort=True):
        values = ", ".join(
            f"{_value(row)} ({words(row['actor_role'])}, entry {row['seq']}"
            f"{', counts until then' if row['status'] == 'IN_FORCE' else ''})"
            for row in given.to_dict("records")
        )
        st.warning(
            literal(f"To be decided: {event_type} {path} was amended to {values}."),
            icon=":material/rule:",
        )


def show_corrections(corrections: pd.DataFrame, zone: ZoneInfo) -> None:
    """Show every amendment and void, also those that change nothing."""
    if corrections.empty:
        st.info("No event of this procedure was corrected.")
        return
    st.markdown(
        "The record keeps what was published; an amendment gives another value beside it. "
        "*To be decided*: two authors amended the value without knowing of each other; an "
        "amendment that supersedes both decides."
    )
    show_table(
        correction_rows(corrections, zone),
        "corrections",
        {
            "recorded": st.column_config.TextColumn("Recorded"),
            "target_event_type": st.column_config.TextColumn("Event"),
            "what": st.column_config.TextColumn("Field"),
            "original_value": st.column_config.TextColumn("Original"),
            "value": st.column_config.TextColumn("Amended to"),
            "state": st.column_config.TextColumn("State"),
            "reason_words": st.column_config.TextColumn("Reason"),
            "role": st.column_config.TextColumn("Author"),
            "seq": st.column_config.NumberColumn("Entry", width="small", format="%d"),
            "target_event_id": st.column_config.TextColumn("Event id"),
        },
        alt_text=f"{len(corrections)} corrections by the event that they correct.",
    )


def correction_rows(corrections: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """The table's rows: times of the site's clock, symbols in words."""
    return corrections.assign(
        recorded=[site_time(at.to_pydatetime(), zone) for at in corrections["recorded_at"]],
        what=[path if isinstance(path, str) else "voided" for path in corrections["path"]],
        state=[
            f"{words(status)}, to be decided" if concurrent else words(status)
            for status, concurrent in zip(
                corrections["status"], corrections["is_concurrent"], strict=True
            )
        ],
        reason_words=[words(reason) for reason in corrections["reason"]],
        role=[words(role) for role in corrections["actor_role"]],
    )


def _value(row: dict[str, object]) -> str:
    return row["value"] if isinstance(row["value"], str) else ABSENT
