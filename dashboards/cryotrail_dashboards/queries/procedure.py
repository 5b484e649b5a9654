"""One procedure: its figures, its events, its probes' cycles, its CT checks."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import pandas as pd

from cryotrail_dashboards.errors import UnknownProcedure
from cryotrail_dashboards.queries.publication import Publication


class ProcedureRow(NamedTuple):
    """The figures of one procedure, as ``fct_procedure`` documents them."""

    procedure_id: str
    procedure_label: str
    tissue: str | None
    site: str | None
    histology: str | None
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    duration_min: float | None
    end_status: str | None
    probe_count: int
    cycle_count: int
    last_margin_mm: float | None
    embolized: bool
    complication_count: int
    event_count: int
    amended_count: int
    voided_count: int
    data_origin: str
    last_seq: int


def labels(publication: Publication) -> list[str]:
    """The label of every procedure, in order; the id stands in where there is no label yet."""
    rows = publication.rows(
        """
        select coalesce(procedure_label, procedure_id::varchar) as label
        from warehouse.fct_procedure order by label
        """
    )
    return [row["label"] for row in rows]


def procedure(publication: Publication, wanted: str) -> ProcedureRow:
    """The procedure of this label or id.

    :raises UnknownProcedure: there is none, or the label names several.
    """
    found = publication.rows(
        """
        select procedure_id::varchar as procedure_id,
               coalesce(procedure_label, procedure_id::varchar) as procedure_label,
               tissue, site, histology, status, started_at, ended_at, duration_min, end_status,
               probe_count, cycle_count, last_margin_mm, embolized, complication_count,
               event_count, amended_count, voided_count, data_origin, last_seq
        from warehouse.fct_procedure
        where procedure_label = $wanted or procedure_id::varchar = lower($wanted)
        """,
        {"wanted": wanted},
    )
    if not found:
        raise UnknownProcedure(
            f"procedure {wanted!r} was not found in this publication",
            hint="choose one from the list",
        )
    if len(found) > 1:
        ids = ", ".join(sorted(row["procedure_id"] for row in found))
        raise UnknownProcedure(
            f"{len(found)} procedures carry the label {wanted!r}", hint=f"ask by id: {ids}"
        )
    return ProcedureRow(**found[0])


def events(publication: Publication, procedure_id: str) -> pd.DataFrame:
    """Every discrete event in order: ``order_no``, ``seq``, ``event_id`` (text), ``event_type``,
    ``summary``, ``occurred_at``, ``recorded_at``, ``original_occurred_at``, ``t_min`` (minutes from
    the start), ``band``, ``lane``, ``probe_id``, ``is_voided``, ``is_amended``, ``data_origin``.
    """
    return publication.frame(
        """
        select order_no, seq, event_id::varchar as event_id, event_type, summary, occurred_at,
               recorded_at, original_occurred_at, minute_from_start as t_min, band, lane, probe_id,
               is_voided, is_amended, data_origin
        from warehouse.fct_timeline_event where procedure_id = $procedure_id::uuid
        order by order_no
        """,
        {"procedure_id": procedure_id},
    )


def corrections(publication: Publication, procedure_id: str) -> pd.DataFrame:
    """A row an amended field or void, by what it corrects: ``target_event_id`` (text),
    ``target_event_type``, ``target_seq`` (null where the timeline does not have it), ``path``,
    ``original_value``, ``value``, ``status``, ``is_concurrent``, ``reason``, ``actor_role``,
    ``recorded_at``, ``seq``.
    """
    return publication.frame(
        """
        with targets as (
          select event_id as target_event_id, seq as target_seq from warehouse.fct_timeline_event
          where procedure_id = $procedure_id::uuid)
        select target_event_id::varchar as target_event_id, target_event_type, target_seq, path,
               original_value, value, status, is_concurrent, reason, actor_role, recorded_at, seq
        from warehouse.fct_correction left join targets using (target_event_id)
        where procedure_id = $procedure_id::uuid
        order by target_event_id, path nulls first, seq, position
        """,
        {"procedure_id": procedure_id},
    )


def probe_ids(publication: Publication, procedure_id: str) -> list[str]:
    """The probes in order of insertion, then those that only a cycle names."""
    rows = publication.rows(
        """
        with named as (
          select probe_id, inserted_at, probe_no from warehouse.fct_probe
          where procedure_id = $procedure_id::uuid
          union all by name
          select distinct probe_id from warehouse.fct_freeze_thaw_cycle
          where procedure_id = $procedure_id::uuid)
        select probe_id from named group by probe_id
        order by min(inserted_at) nulls last, min(probe_no) nulls last, probe_id
        """,
        {"procedure_id": procedure_id},
    )
    return [row["probe_id"] for row in rows]


def cycles(publication: Publication, procedure_id: str) -> pd.DataFrame:
    """A row a probe and cycle: ``probe_id``, ``cycle_no``, start and stop minutes of both phases,
    ``freeze_min``, ``thaw_min``, ``stop_reason``, ``thaw_mode``, ``pairing``.
    """
    return publication.frame(
        """
        select probe_id, cycle_no, freeze_start_minute, freeze_stop_minute, thaw_start_minute,
               thaw_stop_minute, freeze_min, thaw_min, stop_reason, thaw_mode, pairing
        from warehouse.fct_freeze_thaw_cycle where procedure_id = $procedure_id::uuid
        order by probe_id, cycle_no
        """,
        {"procedure_id": procedure_id},
    )


def ct(publication: Publication, procedure_id: str) -> pd.DataFrame:
    """Every ice-ball check, and every CT that none was read from: ``t_min``, ``phase``,
    ``cycle_no``, ``margin_mm`` (the smallest measured one), ``direction``, ``measured_count``,
    ``covers_tumour``, ``is_check``.
    """
    return publication.frame(
        """
        with checks as (
          select minute_from_start as t_min, cycle_no, smallest_margin_mm as margin_mm,
                 smallest_margin_direction as direction, measured_margin_count as measured_count,
                 covers_tumour, ct_event_id, true as is_check
          from warehouse.fct_ice_ball_check where procedure_id = $procedure_id::uuid),
        bare as (
          select minute_from_start as t_min, cycle_no, phase, false as is_check
          from warehouse.fct_ct_acquisition acquired where procedure_id = $procedure_id::uuid
            and not exists (select 1 from checks where checks.ct_event_id = acquired.event_id
                            or checks.t_min = acquired.minute_from_start))
        select * exclude (ct_event_id) from (select * from checks union all by name from bare)
        where t_min is not null order by t_min, is_check
        """,
        {"procedure_id": procedure_id},
    )


def complications(publication: Publication, procedure_id: str) -> pd.DataFrame:
    """Each complication: ``t_min`` (minutes from the start to its onset, or to its report where no
    onset is recorded), ``kind``, ``has_onset``, ``gradings`` (one text), ``resolution_outcome``.
    """
    return publication.frame(
        """
        select date_diff('second', started_at, coalesce(onset_at, reported_at)) / 60.0 as t_min,
               kind, onset_at is not null as has_onset,
               array_to_string(gradings, '; ') as gradings, resolution_outcome
        from warehouse.fct_complication join warehouse.fct_procedure using (procedure_id)
        where procedure_id = $procedure_id::uuid order by t_min, kind
        """,
        {"procedure_id": procedure_id},
    )


def temperatures(publication: Publication, procedure_id: str) -> pd.DataFrame:
    """Tip temperatures in figures, a row a probe, cycle and phase: ``probe_id``, ``cycle_no``,
    ``phase``, ``sample_count``, ``missing_count``, ``min_cel``, ``mean_cel``, ``max_cel``,
    ``at_or_below_minus_20_s``, ``at_or_below_minus_40_s``.
    """
    return publication.frame(
        """
        select probe_id, cycle_no, phase, sample_count, missing_count, min_cel, mean_cel, max_cel,
               at_or_below_minus_20_s, at_or_below_minus_40_s
        from warehouse.fct_probe_temperature
        where procedure_id = $procedure_id::uuid and channel = 'TIP_TEMPERATURE_CEL'
        order by probe_id, cycle_no nulls last, phase
        """,
        {"procedure_id": procedure_id},
    )


class ProcedureFacts(NamedTuple):
    """What the marts say of one procedure, before it is shaped for a page."""

    row: ProcedureRow
    probe_ids: list[str]
    events: pd.DataFrame
    corrections: pd.DataFrame
    cycles: pd.DataFrame
    ct: pd.DataFrame
    complications: pd.DataFrame
    temperatures: pd.DataFrame


def facts(publication: Publication, row: ProcedureRow) -> ProcedureFacts:
    """Everything above of one procedure."""
    own = (publication, row.procedure_id)
    return ProcedureFacts(
        row,
        probe_ids(*own),
        events(*own),
        corrections(*own),
        cycles(*own),
        ct(*own),
        complications(*own),
        temperatures(*own),
    )
