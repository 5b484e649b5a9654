"""The tip-temperature curves of one procedure, from its Parquet file, thinned out in SQL.

Thinning is M4 (doi:10.14778/2732951.2732953): of each column of pixels the first, last, lowest and
highest sample. The drawn line covers the same pixels as all samples would, and a single-sample
spike survives. Nothing is drawn across a gap.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from cryotrail_dashboards.queries.publication import Publication

BINS = 300
"""Columns of pixels a window is cut into: at most 4 x 300 points a probe are drawn."""

GAP_PERIODS = 3.0
"""A pause longer than this many sampling periods is a gap."""

_SAMPLES = """
  select probe_id, value as temperature_cel,
         date_diff('microsecond', $started_at, sampled_at) / 60e6 as t_min
  from read_parquet($path)
  where channel = 'TIP_TEMPERATURE_CEL' and value is not null and probe_id is not null
    and sampled_at between $started_at + to_microseconds(($from_min * 60e6)::bigint)
                       and $started_at + to_microseconds(($to_min * 60e6)::bigint)
"""

_M4 = f"""
with sample as ({_SAMPLES}),
stepped as (
  select *, t_min - lag(t_min) over (partition by probe_id order by t_min) as step_min from sample),
period as (select probe_id, median(step_min) as period_min from stepped group by probe_id),
runs as (
  select probe_id, t_min, temperature_cel,
         sum(coalesce(step_min > {GAP_PERIODS} * period_min, false)::int)
           over (partition by probe_id order by t_min) as run,
         least({BINS - 1}, floor({BINS} * (t_min - $from_min) / ($to_min - $from_min)))::int as bin
  from stepped join period using (probe_id)),
kept as (
  select probe_id, run,
         unnest([min(t_min), arg_min(t_min, temperature_cel),
                 arg_max(t_min, temperature_cel), max(t_min)]) as t_min,
         unnest([arg_min(temperature_cel, t_min), min(temperature_cel),
                 max(temperature_cel), arg_max(temperature_cel, t_min)]) as temperature_cel
  from runs group by probe_id, run, bin)
select distinct probe_id, run, t_min, temperature_cel from kept order by probe_id, run, t_min
"""


class Curves(NamedTuple):
    """The thinned curves, and how many samples they stand for."""

    points: pd.DataFrame
    """``probe_id``, ``run``, ``t_min``, ``temperature_cel``."""
    sample_count: int
    """Samples with a value in the window."""


def tip_temperatures(
    publication: Publication, procedure_id: str, from_min: float, to_min: float
) -> Curves | None:
    """The curves within a window of minutes since the start; None when none were recorded.

    :raises WarehouseUnreadable: the publication names a file that cannot be read.
    """
    files = publication.rows(
        """
        select file_path, started_at from warehouse.fct_telemetry_file
        join warehouse.fct_procedure using (procedure_id)
        where procedure_id = $procedure_id::uuid and started_at is not null
        """,
        {"procedure_id": procedure_id},
    )
    if not files:
        return None
    parameters = {
        "path": str(publication.warehouse_dir / files[0]["file_path"]),
        "started_at": files[0]["started_at"],
        "from_min": from_min,
        "to_min": to_min,
    }
    total = publication.rows(f"select count(*) as n from ({_SAMPLES})", parameters)[0]["n"]
    return Curves(publication.frame(_M4, parameters), int(total))
