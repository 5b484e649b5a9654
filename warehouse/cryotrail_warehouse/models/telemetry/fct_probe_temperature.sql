-- Samples meet phases by equality of procedure and probe and a range of time: a hash join with a residual filter.
with phase as (
  select procedure_id, probe_id, cycle_no, phase, started_at, stopped_at from {{ ref('int_phase') }}
  union all
  -- A sensor belongs to no probe: it follows the envelope of the procedure's cycle, frozen until the last probe stops.
  select procedure_id, null, cycle_no, 'FREEZE', started_at, freeze_stopped_at
  from {{ ref('fct_procedure_cycle') }} where started_at <= freeze_stopped_at
  union all
  select procedure_id, null, cycle_no, 'THAW', greatest(thaw_started_at, freeze_stopped_at), ended_at
  from {{ ref('fct_procedure_cycle') }} where greatest(thaw_started_at, freeze_stopped_at) <= ended_at
),

-- Cut at the next start, so that a sample is in one phase at most even where the events contradict each other.
disjoint as (
  select
    procedure_id,
    coalesce(probe_id, '') as probe_key,
    cycle_no,
    phase,
    epoch_us(started_at) as started_us,
    least(epoch_us(stopped_at), lead(epoch_us(started_at)) over (
      partition by procedure_id, probe_id order by started_at, stopped_at, cycle_no, phase)) as stopped_us
  from phase
),

sample as (
  select
    procedure_id,
    channel,
    probe_id,
    sensor_id,
    coalesce(probe_id, '') as probe_key,
    quality,
    period_ms,
    seq,
    started_us + (unnest(range(len(values)))) * period_ms * 1000 as sampled_us,
    unnest(values)::double as value_cel
  from {{ ref('stg_telemetry_chunk') }}
  where channel in ('TIP_TEMPERATURE_CEL', 'SENSOR_TEMPERATURE_CEL')
)

select
  sample.procedure_id,
  sample.channel,
  sample.probe_id,
  sample.sensor_id,
  disjoint.cycle_no,
  coalesce(disjoint.phase, 'OUTSIDE') as phase,
  count(value_cel) as sample_count,
  count(*) - count(value_cel) as missing_count,
  count(*) filter (where quality not in ('GOOD', 'SIMULATED')) as suspect_count,
  min(value_cel) as min_cel,
  -- Summed as decimals: a sum of doubles would depend on the order in which threads met the samples.
  sum(value_cel::decimal(12, 4)) / count(value_cel) as mean_cel,
  max(value_cel) as max_cel,
  coalesce(sum(period_ms) filter (where value_cel <= -20), 0) / 1000 as at_or_below_minus_20_s,
  coalesce(sum(period_ms) filter (where value_cel <= -40), 0) / 1000 as at_or_below_minus_40_s,
  make_timestamptz(min(sampled_us)) as first_sampled_at,
  make_timestamptz(max(sampled_us)) as last_sampled_at,
  max(sample.seq) as last_seq
from sample
-- Telemetry without a procedure to belong to waits for it.
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
left join disjoint
  on sample.procedure_id = disjoint.procedure_id
  and sample.probe_key = disjoint.probe_key
  and sample.sampled_us >= disjoint.started_us
  and sample.sampled_us < disjoint.stopped_us
group by sample.procedure_id, sample.channel, sample.probe_id, sample.sensor_id, disjoint.cycle_no, disjoint.phase
