-- Minutes in which at least one probe froze (or thawed), of each cycle and (cycle_no null) of the whole procedure.
-- Islands of overlapping intervals: the running maximum of the stops is carried, since one long freeze may hold several
-- short ones.
with scoped as (
  select procedure_id, cycle_no, phase, started_at, stopped_at, probe_id from {{ ref('int_phase') }}
  union all
  select procedure_id, null, phase, started_at, stopped_at, probe_id || '/' || cycle_no from {{ ref('int_phase') }}
),

seen as (
  select *, max(stopped_at) over (
    partition by procedure_id, cycle_no, phase order by started_at, stopped_at, probe_id
    rows between unbounded preceding and 1 preceding) as covered_until
  from scoped
)

select
  procedure_id,
  cycle_no,
  phase,
  -- Summed in whole microseconds, so that no order of addition shows.
  sum(epoch_us(stopped_at) - epoch_us(started_at)) / 60000000.0::double as probe_min,
  sum(greatest(0, epoch_us(stopped_at) - greatest(epoch_us(started_at), coalesce(epoch_us(covered_until), 0))))
    / 60000000.0::double as union_min
from seen
group by procedure_id, cycle_no, phase
