"""The page of a cohort: ``/cohort?cohort=RECONSTRUCTED``."""

from collections import Counter
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from cryotrail_dashboards.drawing import Drawing
from cryotrail_dashboards.layout import show_freshness, show_metrics, show_origin
from cryotrail_dashboards.queries import cohort as ask
from cryotrail_dashboards.queries.publication import open_publication
from cryotrail_dashboards.sections.comparison import show_comparison
from cryotrail_dashboards.sections.complications import show_complications
from cryotrail_dashboards.sections.counts import show_counts
from cryotrail_dashboards.sections.durations import DEFINITION, show_durations
from cryotrail_dashboards.sections.margins import show_margins
from cryotrail_dashboards.sections.survival import show_survival
from cryotrail_dashboards.settings import DashboardSettings
from cryotrail_dashboards.units import number, quantity, span
from cryotrail_warehouse.cohort_figures import COHORT as COMPARED_COHORT


def main() -> None:
    """Lay the page out."""
    settings = DashboardSettings.from_environment()
    st.title("Cohort")
    with open_publication(settings.warehouse_dir) as publication:
        cohort = choose_cohort(ask.cohorts(publication))
        if cohort is None:
            st.info("No procedure has started yet.", icon=":material/inbox:")
            return
        procedures = ask.procedures(publication, cohort)
        durations = ask.durations(publication, cohort)
        counts = ask.counts(publication, cohort)
        complications = ask.complications(publication, cohort)
        survival = ask.survival(publication, cohort)
        drawing = Drawing.of_this_reader(publication.identity(), cohort)
        show_origin(Counter(procedures["data_origin"]))
        show_head(durations, counts, complications)
        show_durations(procedures, durations, drawing)
        show_counts(counts, drawing)
        show_margins(procedures, drawing)
        show_complications(complications, drawing)
        show_survival(survival, drawing)
        if cohort == COMPARED_COHORT:
            show_comparison(publication.path, publication.identity())
        show_freshness(publication.meta(), ZoneInfo(settings.site_tz))


def choose_cohort(cohorts: list[str]) -> str | None:
    """The cohort that the address names, changed by the list; cohorts are never added up."""
    if not cohorts:
        return None
    wanted = st.query_params.get("cohort")
    index = cohorts.index(wanted) if wanted in cohorts else 0
    if len(cohorts) > 1:
        chosen = st.selectbox("Cohort", cohorts, index=index, width=320)
        if chosen != cohorts[index]:
            st.query_params["cohort"] = chosen
            st.rerun()
    return cohorts[index]


def show_head(durations: pd.DataFrame, counts: pd.DataFrame, complications: pd.DataFrame) -> None:
    """The figures that the paper's abstract gives, of this cohort, each with its n."""
    whole = durations[durations["group_value"] == "ALL"]
    probes = counts[(counts["measure"] == "probe_count") & (counts["group_value"] == "ALL")]
    if whole.empty or probes.empty or complications.empty:
        return
    length, probe, overall = whole.iloc[0], probes.iloc[0], complications.iloc[0]
    show_metrics(
        {
            "Procedures": str(int(overall["n"])),
            "Mean duration": quantity(length["mean_min"], "min"),
            "Range": f"{span(length['minimum_min'], length['maximum_min'])} min",
            "Mean probes": number(probe["mean"]),
            "Range of probes": span(probe["minimum"], probe["maximum"]),
            "With a complication": f"{int(overall['k'])} of {int(overall['n'])}",
        },
        {
            "Procedures": "procedures that started",
            "Mean duration": f"of {int(length['n'])} procedures; {DEFINITION}",
            "Mean probes": f"of {int(probe['n'])} procedures; probes inserted",
            "With a complication": "procedures with at least one complication, whenever it arose",
        },
    )


main()
