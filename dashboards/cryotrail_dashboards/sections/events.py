"""Every event of a procedure as it stands today, with both of its times."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.clock import site_time, zone_label
from cryotrail_dashboards.layout import show_table
from cryotrail_dashboards.units import ABSENT


def show_events(events: pd.DataFrame, zone: ZoneInfo) -> None:
    """Show the table of events: when each occurred, and when the store recorded it."""
    if events.empty:
        st.info("No events have been published for this procedure.")
        return
    place = zone_label(events["occurred_at"].iloc[0].to_pydatetime(), zone)
    st.markdown(
        f"Times are the clock of {place}. *Occurred* is the source's clock, *recorded* is when the "
        "audit store took the event; corrected and voided events stay in the list."
    )
    show_table(
        event_rows(events, zone),
        "events",
        {
            "order_no": st.column_config.NumberColumn("No", width="small"),
            "t_min": st.column_config.NumberColumn("T (min)", width="small", format="%.1f"),
            "occurred": st.column_config.TextColumn("Occurred"),
            "recorded": st.column_config.TextColumn("Recorded"),
            "event_type": st.column_config.TextColumn("Event"),
            "lane": st.column_config.TextColumn("Lane"),
            "summary": st.column_config.TextColumn("Summary", width="large"),
            "correction": st.column_config.TextColumn("Corrections"),
            "seq": st.column_config.NumberColumn("Entry", width="small", format="%d"),
            "event_id": st.column_config.TextColumn("Event id"),
        },
        alt_text=f"{len(events)} events in order of occurrence.",
    )


def event_rows(events: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """The table's rows: times as text of the site's clock, corrections in words."""

    def local(at: pd.Timestamp) -> str:
        return ABSENT if pd.isna(at) else site_time(at.to_pydatetime(), zone)

    corrections = [
        _correction(event, local(event["original_occurred_at"]))
        for event in events.to_dict("records")
    ]
    return events.assign(
        occurred=[local(at) for at in events["occurred_at"]],
        recorded=[local(at) for at in events["recorded_at"]],
        correction=corrections,
    )


def _correction(event: dict[str, object], original: str) -> str:
    if event["is_voided"]:
        return "voided"
    if not event["is_amended"]:
        return ""
    return "amended" if original == ABSENT else f"amended, occurred was {original}"
