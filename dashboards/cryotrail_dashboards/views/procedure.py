"""The page of one procedure: ``/procedure?procedure=CRYO-0001&from=20&to=60``.

The address alone says what is shown: every choice is written into it and read back from it.
"""

from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from cryotrail_dashboards.errors import UnknownProcedure
from cryotrail_dashboards.layout import show_freshness, show_metrics, show_origin, show_refusal
from cryotrail_dashboards.literal import literal
from cryotrail_dashboards.queries import procedure as ask
from cryotrail_dashboards.queries.publication import open_publication
from cryotrail_dashboards.sections.corrections import show_undecided
from cryotrail_dashboards.sections.seal import show_seal
from cryotrail_dashboards.sections.tables import show_tables
from cryotrail_dashboards.sections.timeline import show_timeline
from cryotrail_dashboards.settings import DashboardSettings
from cryotrail_dashboards.units import minutes, quantity, words


def main() -> None:
    """Lay the page out."""
    settings = DashboardSettings.from_environment()
    zone = ZoneInfo(settings.site_tz)
    with open_publication(settings.warehouse_dir) as publication:
        labels = ask.labels(publication)
        if not labels:
            st.title("Procedure")
            st.info("No procedure has been published yet.", icon=":material/inbox:")
            return
        wanted = choose_procedure(labels)
        try:
            row = ask.procedure(publication, wanted)
        except UnknownProcedure as unknown:
            show_refusal(unknown)
            return
        facts = ask.facts(publication, row)
        show_head(facts)
        show_seal(settings.audit_url, UUID(row.procedure_id))
        show_undecided(facts.corrections)
        show_timeline(publication, facts, zone)
        show_tables(facts, zone)
        show_freshness(publication.meta(), zone)


def choose_procedure(labels: list[str]) -> str:
    """The procedure that the address names, changed by the list; the first one where it names none.

    A name that is not in the list is returned as it is: it may be an id, else it is not found.
    """
    wanted = st.query_params.get("procedure") or labels[0]
    chosen = st.selectbox(
        "Procedure",
        labels,
        index=labels.index(wanted) if wanted in labels else None,
        placeholder="choose a procedure",
        width=320,
    )
    if chosen is not None and chosen != wanted:
        st.query_params.from_dict({"procedure": chosen})
        st.rerun()
    return wanted


def show_head(facts: ask.ProcedureFacts) -> None:
    """Title, data label and the figures of the procedure."""
    row = facts.row
    st.title(literal(f"{row.procedure_label}: {words(row.site)}, {words(row.tissue)}"))
    show_origin({row.data_origin: 1})
    show_metrics(
        {
            "Procedure length": minutes(row.duration_min),
            "Probes": probes_inserted(row.probe_count, facts.probe_ids),
            "Completed cycles": str(row.cycle_count),
            "Margin at last check": quantity(row.last_margin_mm, "mm"),
            "Embolized before": "yes" if row.embolized else "no",
            "Complications": str(row.complication_count),
        },
        {
            "Procedure length": "ProcedureStarted (first skin puncture) to ProcedureEnded",
            "Probes": "with a ProbeInserted; one that froze without it is named below",
            "Completed cycles": "every probe active in the cycle has its freeze and thaw closed",
            "Margin at last check": "smallest measured margin at the last CT check of the last "
            "cycle; the target is at least 10 mm",
        },
    )


def probes_inserted(count: int, probe_ids: list[str]) -> str:
    """The number of probes inserted; where probes froze and none was, that none is recorded."""
    return "none recorded" if count == 0 and probe_ids else str(count)


main()
