with procedure as (
  select procedure_id, cohort from {{ ref('fct_procedure') }} where started_at is not null
),

denominator as (
  select cohort, count(*) as n from procedure group by cohort
),

reported as (
  select procedure.cohort, procedure_id, kind, grading_count
  from {{ ref('fct_complication') }}
  inner join procedure using (procedure_id)
),

listed as (
  select cohort, procedure_id, 'ANY' as kind, grading_count from reported
  union all select cohort, procedure_id, kind, grading_count from reported
),

-- ANY and HAEMORRHAGE stand in the list also at zero.
kind as (
  select cohort, unnest(['ANY', 'HAEMORRHAGE']) as kind from denominator
  union
  select cohort, kind from listed
)

select
  cohort,
  kind,
  'procedure' as analysis_unit,
  count(distinct procedure_id) as k,
  any_value(n) as n,
  count(distinct procedure_id) / any_value(n) as share,
  wilson_lower(count(distinct procedure_id), any_value(n)) as lower_95,
  wilson_upper(count(distinct procedure_id), any_value(n)) as upper_95,
  count(procedure_id) as complication_count,
  count(*) filter (where grading_count > 0) as graded_count
from kind
inner join denominator using (cohort)
left join listed using (cohort, kind)
group by cohort, kind
