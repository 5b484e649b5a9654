"""What arrived: procedures, and events by type."""

from __future__ import annotations

import pandas as pd

from cryotrail_dashboards.queries.publication import Publication


def procedures(publication: Publication) -> pd.DataFrame:
    """Every procedure, newest first: ``procedure_label``, ``procedure_id`` (text), ``status``,
    ``started_at``, ``duration_min``, ``site``, ``histology``, ``event_count``, ``data_origin``.
    """
    return publication.frame(
        """
        select coalesce(procedure_label, procedure_id::varchar) as procedure_label,
               procedure_id::varchar as procedure_id, status, started_at, duration_min,
               site, histology, event_count, data_origin
        from warehouse.fct_procedure
        order by started_at desc nulls first, procedure_label
        """
    )


def event_types(publication: Publication) -> pd.DataFrame:
    """How many discrete events of each type: ``event_type``, ``event_count``, ``latest_at``."""
    return publication.frame(
        """
        select event_type, count(*) as event_count, max(recorded_at) as latest_at
        from warehouse.fct_timeline_event
        group by event_type order by event_count desc, event_type
        """
    )


def sample_count(publication: Publication) -> int:
    """Telemetry samples published, missing ones included."""
    sql = "select coalesce(sum(sample_count), 0)::bigint as n from warehouse.fct_telemetry_file"
    return int(publication.rows(sql)[0]["n"])


def subject_count(publication: Publication) -> int:
    """Subjects of the publication, each counted once however often they were treated."""
    return int(publication.rows("select count(*) as n from warehouse.dim_subject")[0]["n"])


def origins(publication: Publication) -> dict[str, int]:
    """How many procedures there are of each ``data_origin``."""
    rows = publication.rows(
        "select data_origin, count(*) as n from warehouse.fct_procedure group by data_origin"
    )
    return {row["data_origin"]: row["n"] for row in rows}


def findings(publication: Publication) -> pd.DataFrame:
    """Quality checks that found something: ``check_name``, ``found``, ``checked``, ``unit``,
    ``description``.
    """
    return publication.frame(
        """
        select check_name, found, checked, unit, description
        from warehouse.meta_quality where found > 0 order by check_name
        """
    )
