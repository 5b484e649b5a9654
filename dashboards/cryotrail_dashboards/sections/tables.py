"""All that a procedure's panels draw, as tables: events, corrections, cycles, temperatures, checks."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import streamlit as st

from cryotrail_dashboards.queries.procedure import ProcedureFacts
from cryotrail_dashboards.sections.corrections import show_corrections
from cryotrail_dashboards.sections.events import show_events
from cryotrail_dashboards.sections.twins import show_checks, show_cycles, show_temperatures


def show_tables(facts: ProcedureFacts, zone: ZoneInfo) -> None:
    """Show the tables, one behind each tab."""
    events, cycles, temperatures, checks, corrections = st.tabs(
        ["Events", "Freeze and thaw", "Tip temperature", "CT checks", "Corrections"]
    )
    with events:
        show_events(facts.events, zone)
    with cycles:
        show_cycles(facts.cycles)
    with temperatures:
        show_temperatures(facts.temperatures)
    with checks:
        show_checks(facts.ct)
    with corrections:
        show_corrections(facts.corrections, zone)
