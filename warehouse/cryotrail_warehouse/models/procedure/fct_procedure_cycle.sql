with envelope as (
  select
    procedure_id,
    cycle_no,
    min(freeze_started_at) as started_at,
    max(freeze_stopped_at) as freeze_stopped_at,
    min(thaw_started_at) as thaw_started_at,
    max(thaw_stopped_at) as ended_at,
    count(*) as probe_count,
    bool_and(freeze_min is not null and thaw_min is not null) as is_complete,
    max(last_seq) as last_seq
  from {{ ref('fct_freeze_thaw_cycle') }}
  group by procedure_id, cycle_no
),

minutes as (
  select
    procedure_id,
    cycle_no,
    sum(union_min) filter (where phase = 'FREEZE') as freeze_min,
    sum(union_min) filter (where phase = 'THAW') as thaw_min,
    sum(probe_min) filter (where phase = 'FREEZE') as probe_freeze_min,
    sum(probe_min) filter (where phase = 'THAW') as probe_thaw_min
  from {{ ref('int_phase_union') }}
  where cycle_no is not null
  group by procedure_id, cycle_no
),

looked_at as (
  select
    procedure_id,
    cycle_no,
    count(*) as ice_ball_check_count,
    max_by(struct_pack(margin_mm := smallest_margin_mm, covers := covers_tumour), is_last_of_cycle::integer) as latest,
    max(seq) as last_seq
  from {{ ref('fct_ice_ball_check') }}
  group by procedure_id, cycle_no
)

select
  envelope.procedure_id,
  envelope.cycle_no,
  envelope.started_at,
  envelope.freeze_stopped_at,
  envelope.thaw_started_at,
  envelope.ended_at,
  minutes_between(procedure.started_at, envelope.started_at) as start_minute,
  minutes_between(procedure.started_at, envelope.ended_at) as end_minute,
  envelope.probe_count,
  envelope.is_complete,
  coalesce(minutes.freeze_min, 0) as freeze_min,
  coalesce(minutes.thaw_min, 0) as thaw_min,
  coalesce(minutes.probe_freeze_min, 0) as probe_freeze_min,
  coalesce(minutes.probe_thaw_min, 0) as probe_thaw_min,
  coalesce(looked_at.ice_ball_check_count, 0) as ice_ball_check_count,
  looked_at.latest.margin_mm as last_margin_mm,
  looked_at.latest.covers as last_covers_tumour,
  greatest(envelope.last_seq, looked_at.last_seq) as last_seq
from envelope
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
left join minutes using (procedure_id, cycle_no)
left join looked_at using (procedure_id, cycle_no)
