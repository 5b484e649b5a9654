with value as (
  select cohort, measure, value, tissue, histology, site
  from (
    select cohort, tissue, histology, site, probe_count, cycle_count
    from {{ ref('fct_procedure') }}
    where started_at is not null
  ) unpivot (value for measure in (probe_count, cycle_count))
),

grouped as (
  select cohort, measure, value, 'all' as group_by, 'ALL' as group_value from value
  union all select cohort, measure, value, 'tissue', coalesce(tissue, 'UNKNOWN') from value
  union all select cohort, measure, value, 'histology', coalesce(histology, 'UNKNOWN') from value
  union all select cohort, measure, value, 'site', coalesce(site, 'UNKNOWN') from value
),

summary as (
  select
    cohort,
    measure,
    group_by,
    group_value,
    count(*) as n,
    sum(value) as total,
    sum(value) / count(*) as mean,
    min(value) as minimum,
    max(value) as maximum
  from grouped
  group by cohort, measure, group_by, group_value
)

select
  cohort,
  measure,
  group_by,
  group_value,
  'procedure' as analysis_unit,
  value,
  count(*) as procedure_count,
  any_value(n) as n,
  any_value(total) as total,
  any_value(mean) as mean,
  any_value(minimum) as minimum,
  any_value(maximum) as maximum
from grouped
inner join summary using (cohort, measure, group_by, group_value)
group by cohort, measure, group_by, group_value, value
