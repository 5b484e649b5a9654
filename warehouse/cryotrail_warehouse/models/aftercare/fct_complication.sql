with reported as (
  select
    procedure_id,
    complication_id,
    min_by(struct_pack(event_id, reported_at := occurred_at), order_no)
      filter (where event_type = 'ComplicationReported') as report,
    -- A later report of the same complication says it again with what is known by then.
    max_by(struct_pack(kind, onset_at, structure, relation), order_no)
      filter (where event_type = 'ComplicationReported') as latest,
    max_by(struct_pack(resolved_at := occurred_at, outcome), order_no)
      filter (where event_type = 'ComplicationResolved') as resolution,
    max(seq) as last_seq
  from {{ ref('stg_event') }}
  where event_type in ('ComplicationReported', 'ComplicationRegraded', 'ComplicationResolved') and not is_voided
  group by procedure_id, complication_id
  having count(*) filter (where event_type = 'ComplicationReported') > 0
),

graded as (
  select procedure_id, complication_id, order_no, unnest(gradings) as grading
  from {{ ref('stg_event') }} where event_type = 'ComplicationReported' and not is_voided
  union all
  select procedure_id, complication_id, order_no, grading
  from {{ ref('stg_event') }} where event_type = 'ComplicationRegraded' and not is_voided
),

gradings as (
  select
    procedure_id,
    complication_id,
    list(grading.scale || ' ' || grading.scale_version || ': ' || grading.grade || ' (' || grading.graded_on || ')'
      order by grading.graded_on, order_no, grading.scale, grading.scale_version, grading.grade) as gradings
  from graded
  group by procedure_id, complication_id
)

select
  reported.procedure_id,
  reported.complication_id,
  reported.report.event_id,
  procedure.subject_id,
  reported.latest.kind,
  reported.report.reported_at,
  reported.latest.onset_at,
  minutes_between(procedure.started_at, reported.report.reported_at) as minute_from_start,
  minutes_between(procedure.ended_at, reported.report.reported_at) / 60 as hours_from_end,
  reported.latest.structure,
  reported.latest.relation,
  coalesce(len(gradings.gradings), 0) as grading_count,
  coalesce(gradings.gradings, []) as gradings,
  reported.resolution.resolved_at,
  reported.resolution.outcome as resolution_outcome,
  reported.last_seq
from reported
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
left join gradings using (procedure_id, complication_id)
