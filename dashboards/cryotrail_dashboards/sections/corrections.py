"""Corrections of a procedure: original and current value side by side, and what is to be decided."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.clock import site_time
from cryotrail_dashboards.layout import show_table
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.units import ABSENT, words

LINE_CHARACTERS = 28
"""What a line of a value's column holds."""

LONG_VALUE_ROW_PX = 76
"""Three lines; a value that is longer yet is read by opening its cell."""

NO_SUCH_FIELD = "no such field"

DECIDING = (
    " To decide, publish one EventAmended with one change for each of these amendments: each change"
    " with this path, the value decided on, and the id of that amendment as `supersedes_event_id`."
)
"""How somebody decides; ``schemas/README.md`` has the event."""


def show_undecided(corrections: pd.DataFrame) -> None:
    """Name the values that two amendments replaced without knowing of each other, if there are."""
    if corrections.empty:
        return
    open_ones = corrections[corrections["is_concurrent"]]
    # Of one event: two of a type may each have something to be decided at the same path.
    one_value = ["target_event_type", "path", "target_event_id"]
    for (event_type, path, _), given in open_ones.groupby(one_value, sort=True):
        values = ", ".join(
            f"{_value(row['value'])} ({words(row['actor_role'])}, entry {row['seq']}"
            f"{', counts until then' if row['status'] == 'IN_FORCE' else ''})"
            for row in given.to_dict("records")
        )
        st.warning(
            literal(f"To be decided: {event_type} {path} was amended to {values}.") + DECIDING,
            icon=":material/rule:",
        )


def show_corrections(corrections: pd.DataFrame, zone: ZoneInfo) -> None:
    """Show every amendment and void, also those that change nothing."""
    if corrections.empty:
        st.info("No event of this procedure was corrected.")
        return
    st.markdown(
        "The record keeps what was published; an amendment gives another value beside it. "
        "*To be decided*: two authors amended the value without knowing of each other; one "
        "amendment that lists the path twice, once for each that it supersedes, decides."
    )
    rows = correction_rows(corrections, zone)
    longest = max(len(text) for text in (*rows["original"], *rows["given"]))
    show_table(
        rows,
        "corrections",
        {
            "seq": st.column_config.NumberColumn("Correction entry", format="%d"),
            "target_seq": st.column_config.NumberColumn("Target entry", format="%d"),
            "target_event_type": st.column_config.TextColumn("Target event"),
            "what": st.column_config.TextColumn("Field"),
            "original": st.column_config.TextColumn("Original", width="medium"),
            "given": st.column_config.TextColumn("Amended to", width="medium"),
            "state": st.column_config.TextColumn("State"),
            "reason_words": st.column_config.TextColumn("Reason"),
            "role": st.column_config.TextColumn("Author"),
            "recorded": st.column_config.TextColumn("Recorded"),
            "target_event_id": st.column_config.TextColumn("Target event id", width="large"),
        },
        alt_text=f"{len(corrections)} corrections by the event that they correct.",
        row_px=LONG_VALUE_ROW_PX if longest > LINE_CHARACTERS else None,
    )


def correction_rows(corrections: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """The table's rows: times of the site's clock, symbols in words."""
    return corrections.assign(
        recorded=[site_time(at.to_pydatetime(), zone) for at in corrections["recorded_at"]],
        what=[path if isinstance(path, str) else "voided" for path in corrections["path"]],
        original=[
            NO_SUCH_FIELD
            if status == "BAD_PATH" and not isinstance(original, str)
            else _value(original)
            for status, original in zip(
                corrections["status"], corrections["original_value"], strict=True
            )
        ],
        given=[_value(given) for given in corrections["value"]],
        state=[
            f"{words(status)}, to be decided" if concurrent else words(status)
            for status, concurrent in zip(
                corrections["status"], corrections["is_concurrent"], strict=True
            )
        ],
        reason_words=[words(reason) for reason in corrections["reason"]],
        role=[words(role) for role in corrections["actor_role"]],
    )


def _value(text: object) -> str:
    return text if isinstance(text, str) else ABSENT
