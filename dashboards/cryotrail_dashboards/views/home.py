"""The first page: what arrived, how fresh it is, and what is known of the store."""

from urllib.parse import quote
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.clock import site_time
from cryotrail_dashboards.layout import (
    show_freshness,
    show_metrics,
    show_origin,
    show_short_table,
    show_table,
)
from cryotrail_dashboards.queries import home as ask
from cryotrail_dashboards.queries.publication import open_publication
from cryotrail_dashboards.sections.store import show_store
from cryotrail_dashboards.settings import DashboardSettings
from cryotrail_dashboards.units import ABSENT, words


def main() -> None:
    """Lay the page out."""
    settings = DashboardSettings.from_environment()
    zone = ZoneInfo(settings.site_tz)
    st.title("What arrived")
    with open_publication(settings.warehouse_dir) as publication:
        meta = publication.meta()
        show_origin(ask.origins(publication))
        show_metrics(
            {
                "Procedures": f"{meta.procedure_count:,}",
                "Subjects": f"{ask.subject_count(publication):,}",
                "Events": f"{meta.event_count:,}",
                "Telemetry chunks": f"{meta.telemetry_chunk_count:,}",
                "Temperature and flow samples": f"{ask.sample_count(publication):,}",
                "Log entries read": f"{meta.audit_tree_size:,}",
            },
            {"Events": "discrete events recorded; corrections and voided ones count too"},
        )
        show_freshness(meta, zone)
        show_procedures(ask.procedures(publication), zone)
        show_event_types(ask.event_types(publication), zone)
        show_findings(ask.findings(publication))
        show_store(settings.audit_url, meta, zone)


def show_procedures(procedures: pd.DataFrame, zone: ZoneInfo) -> None:
    """Every procedure, with the address of its page."""
    st.subheader("Procedures")
    if procedures.empty:
        st.info("No procedure has been published yet.", icon=":material/inbox:")
        return
    rows = procedures.assign(
        page=[f"/procedure?procedure={quote(label)}" for label in procedures["procedure_label"]],
        started=[
            ABSENT if pd.isna(at) else site_time(at.to_pydatetime(), zone)
            for at in procedures["started_at"]
        ],
        site=[words(site) for site in procedures["site"]],
        histology=[words(histology) for histology in procedures["histology"]],
        status=[words(status) for status in procedures["status"]],
    )
    show_table(
        rows,
        "procedures",
        {
            "page": st.column_config.LinkColumn("Procedure", display_text=r"procedure=(.+)$"),
            "started": f"Started ({zone.key})",
            "duration_min": st.column_config.NumberColumn("Length (min)", format="%.0f"),
            "site": "Site",
            "histology": "Histology",
            "status": "Status",
            "event_count": "Events",
            "data_origin": "Data",
        },
        alt_text=f"{len(rows)} procedures, the newest first.",
    )


def show_event_types(event_types: pd.DataFrame, zone: ZoneInfo) -> None:
    """How many events of each type arrived, and when the latest one was recorded."""
    if event_types.empty:
        return
    rows = event_types.assign(
        latest=[site_time(at.to_pydatetime(), zone) for at in event_types["latest_at"]]
    )
    with st.expander(f"Events by type ({len(rows)} types)", icon=":material/table:"):
        columns = {
            "event_type": "Event",
            "event_count": "Recorded",
            "latest": f"Latest recorded ({zone.key})",
        }
        show_table(rows, "event types", columns)


def show_findings(findings: pd.DataFrame) -> None:
    """What the marts could not use or had to label."""
    if findings.empty:
        st.markdown("Data quality: no check of the marts found anything.")
        return
    st.subheader("Data quality")
    columns = {
        "check_name": "Check",
        "found": "Found",
        "checked": "Of",
        "unit": "Unit",
        "description": "What it means",
    }
    show_short_table(findings, columns, f"{len(findings)} checks that found something.")


main()
