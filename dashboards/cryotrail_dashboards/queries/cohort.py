"""The cohort's figures, as the marts hold them: every one with its unit of analysis and its n."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cryotrail_dashboards.queries.publication import Publication


def cohorts(publication: Publication) -> list[str]:
    """The cohorts that hold a started procedure: clinical data first, then by name."""
    rows = publication.rows(
        """
        select cohort from warehouse.fct_procedure where started_at is not null
        group by cohort order by cohort <> 'CLINICAL', cohort
        """
    )
    return [row["cohort"] for row in rows]


def procedures(publication: Publication, cohort: str) -> pd.DataFrame:
    """A row a started procedure: ``procedure_label``, ``tissue``, ``duration_min``,
    ``probe_count``, ``cycle_count``, ``last_margin_mm``, ``complication_count``, ``embolized``,
    ``data_origin``.
    """
    return publication.frame(
        """
        select coalesce(procedure_label, procedure_id::varchar) as procedure_label, tissue,
               duration_min, probe_count, cycle_count, last_margin_mm, complication_count,
               embolized, data_origin
        from warehouse.fct_procedure where cohort = $cohort and started_at is not null
        order by procedure_label
        """,
        {"cohort": cohort},
    )


def durations(publication: Publication, cohort: str) -> pd.DataFrame:
    """Procedure length, of all and by tissue: ``group_value``, ``n``, ``total_min``, ``mean_min``,
    ``sd_min``, ``minimum_min``, ``q1_min``, ``median_min``, ``q3_min``, ``maximum_min``.
    """
    return publication.frame(
        """
        select group_value, n, total_min, mean_min, sd_min, minimum_min, q1_min, median_min,
               q3_min, maximum_min
        from warehouse.cohort_duration
        where cohort = $cohort and measure = 'duration_min' and group_by in ('all', 'tissue')
        order by group_by, group_value
        """,
        {"cohort": cohort},
    )


def counts(publication: Publication, cohort: str) -> pd.DataFrame:
    """Probes and completed cycles of procedures, of all and by tissue: ``measure``,
    ``group_value``, ``value``, ``procedure_count``, ``n``, ``total``, ``mean``, ``minimum``,
    ``maximum``.
    """
    return publication.frame(
        """
        select measure, group_value, value, procedure_count, n, total, mean, minimum, maximum
        from warehouse.cohort_probe where cohort = $cohort and group_by in ('all', 'tissue')
        order by measure, group_by, group_value, value
        """,
        {"cohort": cohort},
    )


def complications(publication: Publication, cohort: str) -> pd.DataFrame:
    """Procedures with a complication, by kind: ``kind``, ``k``, ``n``, ``share``, ``lower_95``,
    ``upper_95`` (Wilson), ``complication_count``, ``graded_count``; ANY first.
    """
    return publication.frame(
        """
        select kind, k, n, share, lower_95, upper_95, complication_count, graded_count
        from warehouse.cohort_complication where cohort = $cohort
        order by kind <> 'ANY', k desc, kind
        """,
        {"cohort": cohort},
    )


def survival(publication: Publication, cohort: str) -> pd.DataFrame:
    """Kaplan-Meier rows in order of time, as ``cohort_survival`` documents them."""
    return publication.frame(
        """
        select time_months::double as time_months, n, at_risk, deaths, censored, survival,
               lower_95, upper_95, is_year_mark, median_months::double as median_months,
               at_risk_at_median
        from warehouse.cohort_survival where cohort = $cohort order by time_months
        """,
        {"cohort": cohort},
    )


def summary(publication: Publication, cohort: str) -> list[dict[str, Any]]:
    """Counts, categories and numbers of the cohort, as ``cohort_summary`` documents them."""
    return publication.rows(
        """
        select measure, category, analysis_unit, unit, n, unknown_count, k, share, lower_95,
               upper_95, total, mean, minimum, maximum, median
        from warehouse.cohort_summary where cohort = $cohort order by measure, category
        """,
        {"cohort": cohort},
    )
