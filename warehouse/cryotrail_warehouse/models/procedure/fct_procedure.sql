with facts as (
  select
    procedure_id,
    min_by(columns(['procedure_label', 'lesion_id', 'protocol_id', 'protocol_version', 'sex', 'age_years', 'intent',
      'retreatment_of_procedure_id', 'tissue', 'histology', 'origin', 'site', 'side', 'tumour_size_mm', 'scheduled_for']),
      order_no) filter (where event_type = 'ProcedureScheduled'),
    min_by(columns(['device_id', 'console_model_text', 'gas', 'patient_position', 'planned_probe_count']), order_no)
      filter (where event_type = 'ProcedureStarted'),
    bool_or(event_type = 'ProcedureScheduled') as is_scheduled,
    max_by(status, order_no) filter (where event_type = 'ProcedureEnded') as end_status,
    max_by(occurred_at, order_no) filter (where event_type = 'PatientDischarged') as discharged_at,
    max_by(occurred_at, order_no) filter (where event_type = 'ProcedureSealed') as sealed_at,
    count(distinct probe_id) filter (where event_type = 'ProbeInserted') as probe_count,
    count(*) filter (where event_type = 'CtAcquired') as ct_count,
    count(*) filter (where event_type = 'EmbolizationPerformed' and successful is distinct from false) > 0 as embolized,
    count(*) filter (where event_type = 'DisplacementPerformed' and successful) > 0 as displaced,
    count(*) filter (where event_type = 'TractChecked' and bleeding) > 0 as tract_bleeding,
    count(distinct complication_id) filter (where event_type = 'ComplicationReported') as complication_count,
    min(occurred_at) as first_event_at,
    max(occurred_at) as last_event_at
  from {{ ref('stg_event') }}
  where not is_voided
  group by procedure_id
),

counts as (
  select
    procedure_id,
    count(*) as event_count,
    count(*) filter (where len(amended_paths) > 0) as amended_count,
    count(*) filter (where is_voided) as voided_count
  from {{ ref('stg_event') }}
  group by procedure_id
),

cycles as (
  select procedure_id, count(*) filter (where is_complete) as cycle_count
  from {{ ref('fct_procedure_cycle') }}
  group by procedure_id
),

minutes as (
  select
    procedure_id,
    sum(union_min) filter (where phase = 'FREEZE') as freeze_min,
    sum(union_min) filter (where phase = 'THAW') as thaw_min,
    sum(probe_min) filter (where phase = 'FREEZE') as probe_freeze_min,
    sum(probe_min) filter (where phase = 'THAW') as probe_thaw_min
  from {{ ref('int_phase_union') }}
  where cycle_no is null
  group by procedure_id
),

checks as (
  select
    procedure_id,
    count(*) as ice_ball_check_count,
    max_by(struct_pack(smallest_margin_mm, measured_margin_count, covers_tumour), is_last_of_procedure::integer) as latest
  from {{ ref('fct_ice_ball_check') }}
  group by procedure_id
)

select
  facts.* exclude (is_scheduled),
  procedure.subject_id,
  case
    when facts.sealed_at is not null then 'SEALED'
    when facts.discharged_at is not null then 'DISCHARGED'
    when procedure.ended_at is not null then 'ENDED'
    when procedure.started_at is not null then 'STARTED'
    when facts.is_scheduled then 'SCHEDULED'
    else 'UNSCHEDULED' end as status,
  procedure.started_at,
  site_date(procedure.started_at) as treated_on,
  procedure.ended_at,
  minutes_between(procedure.started_at, procedure.ended_at) as duration_min,
  site_date(facts.discharged_at) - site_date(procedure.ended_at) as stay_days,
  facts.sealed_at is not null as sealed,
  coalesce(cycles.cycle_count, 0) as cycle_count,
  coalesce(minutes.freeze_min, 0) as freeze_min,
  coalesce(minutes.thaw_min, 0) as thaw_min,
  coalesce(minutes.probe_freeze_min, 0) as probe_freeze_min,
  coalesce(minutes.probe_thaw_min, 0) as probe_thaw_min,
  coalesce(checks.ice_ball_check_count, 0) as ice_ball_check_count,
  checks.latest.smallest_margin_mm as last_margin_mm,
  checks.latest.measured_margin_count as last_margin_measured_count,
  checks.latest.covers_tumour as last_covers_tumour,
  counts.event_count,
  counts.amended_count,
  counts.voided_count,
  procedure.data_origin,
  cohort_of(procedure.data_origin) as cohort,
  make_timestamptz(stream.last_recorded_us) as last_recorded_at,
  stream.first_seq,
  stream.last_seq
from {{ ref('int_procedure') }} as procedure
inner join facts using (procedure_id)
inner join counts using (procedure_id)
inner join {{ source('raw', 'procedure_stream') }} as stream using (procedure_id)
left join cycles using (procedure_id)
left join minutes using (procedure_id)
left join checks using (procedure_id)
