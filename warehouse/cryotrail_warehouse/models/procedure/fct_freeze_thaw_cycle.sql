-- Pairing by the cycle number that the events carry, never by order of arrival and never by a recount.
with paired as (
  select
    event.procedure_id,
    event.probe_id,
    event.cycle_no,
    min_by(occurred_at, order_no) filter (where event_type = 'FreezeStarted') as freeze_started_at,
    max_by(occurred_at, order_no) filter (where event_type = 'FreezeStopped') as freeze_stopped_at,
    min_by(occurred_at, order_no) filter (where event_type = 'ThawStarted') as thaw_started_at,
    max_by(occurred_at, order_no) filter (where event_type = 'ThawStopped') as thaw_stopped_at,
    max_by(stop_reason, order_no) filter (where event_type = 'FreezeStopped') as stop_reason,
    min_by(mode, order_no) filter (where event_type = 'ThawStarted') as thaw_mode,
    min_by(flow_pct, order_no) filter (where event_type = 'FreezeStarted') as flow_pct,
    min(tip_min_cel) filter (where event_type = 'FreezeStopped') as tip_min_cel,
    max(tip_max_cel) filter (where event_type = 'ThawStopped') as tip_max_cel,
    count(*) > count(distinct event_type) as is_repeated,
    bool_or(len(amended_paths) > 0) as has_amendment,
    max(seq) as last_seq
  from {{ ref('stg_event') }} as event
  where event_type in ('FreezeStarted', 'FreezeStopped', 'ThawStarted', 'ThawStopped') and not is_voided
  group by event.procedure_id, event.probe_id, event.cycle_no
)

select
  paired.*,
  minutes_between(started_at, freeze_started_at) as freeze_start_minute,
  minutes_between(started_at, freeze_stopped_at) as freeze_stop_minute,
  minutes_between(started_at, thaw_started_at) as thaw_start_minute,
  minutes_between(started_at, thaw_stopped_at) as thaw_stop_minute,
  case when freeze_started_at <= freeze_stopped_at
    then minutes_between(freeze_started_at, freeze_stopped_at) end as freeze_min,
  case when thaw_started_at <= thaw_stopped_at
    then minutes_between(thaw_started_at, thaw_stopped_at) end as thaw_min,
  case
    when freeze_started_at is null then 'orphan_stop'
    when freeze_stopped_at is null then 'freeze_open'
    when thaw_started_at is null and thaw_stopped_at is null then 'freeze_without_thaw'
    when thaw_started_at is null then 'orphan_stop'
    when thaw_stopped_at is null then 'thaw_open'
    else 'closed' end as pairing
from paired
inner join {{ ref('int_procedure') }} using (procedure_id)
