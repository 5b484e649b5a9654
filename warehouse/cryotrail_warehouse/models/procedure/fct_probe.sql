with inserted as (
  select
    procedure_id,
    probe_id,
    min_by(struct_pack(probe_no, probe_model_text, gauge, diameter_mm, depth_mm, angle_deg, inserted_at := occurred_at), order_no)
      filter (where event_type = 'ProbeInserted') as first_insertion,
    min_by(occurred_at, order_no) filter (where event_type = 'ProbeAnchored') as anchored_at,
    max_by(struct_pack(removed_at := occurred_at, tip_temperature_cel), order_no)
      filter (where event_type = 'ProbeRemoved') as removal,
    max_by(occurred_at, order_no) filter (where event_type = 'TractChecked') as tract_checked_at,
    bool_or(bleeding) filter (where event_type = 'TractChecked') as tract_bleeding,
    max(seq) as last_seq
  from {{ ref('stg_event') }}
  where probe_id is not null and not is_voided
  group by procedure_id, probe_id
  having count(*) filter (where event_type = 'ProbeInserted') > 0
),

cycles as (
  select
    procedure_id,
    probe_id,
    count(*) filter (where freeze_min is not null and thaw_min is not null) as cycle_count,
    sum(freeze_min order by cycle_no) as freeze_min,
    sum(thaw_min order by cycle_no) as thaw_min,
    min(tip_min_cel) as tip_min_cel
  from {{ ref('fct_freeze_thaw_cycle') }}
  group by procedure_id, probe_id
)

select
  inserted.procedure_id,
  inserted.probe_id,
  first_insertion.probe_no,
  first_insertion.probe_model_text,
  first_insertion.gauge,
  first_insertion.diameter_mm,
  first_insertion.depth_mm,
  first_insertion.angle_deg,
  first_insertion.inserted_at,
  inserted.anchored_at,
  removal.removed_at,
  minutes_between(procedure.started_at, first_insertion.inserted_at) as inserted_minute,
  minutes_between(procedure.started_at, inserted.anchored_at) as anchored_minute,
  minutes_between(procedure.started_at, removal.removed_at) as removed_minute,
  coalesce(cycles.cycle_count, 0) as cycle_count,
  coalesce(cycles.freeze_min, 0) as freeze_min,
  coalesce(cycles.thaw_min, 0) as thaw_min,
  cycles.tip_min_cel,
  removal.tip_temperature_cel as removal_tip_cel,
  inserted.tract_checked_at,
  inserted.tract_bleeding,
  inserted.last_seq
from inserted
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
left join cycles using (procedure_id, probe_id)
