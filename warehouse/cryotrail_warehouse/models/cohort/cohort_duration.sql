with value as (
  select cohort, measure, minutes, tissue, histology, site
  from (
    select cohort, tissue, histology, site, duration_min, freeze_min, thaw_min, probe_freeze_min, probe_thaw_min
    from {{ ref('fct_procedure') }}
    where duration_min is not null
  ) unpivot (minutes for measure in (duration_min, freeze_min, thaw_min, probe_freeze_min, probe_thaw_min))
),

grouped as (
  select cohort, measure, minutes, 'all' as group_by, 'ALL' as group_value from value
  union all select cohort, measure, minutes, 'tissue', coalesce(tissue, 'UNKNOWN') from value
  union all select cohort, measure, minutes, 'histology', coalesce(histology, 'UNKNOWN') from value
  union all select cohort, measure, minutes, 'site', coalesce(site, 'UNKNOWN') from value
)

select
  cohort,
  measure,
  group_by,
  group_value,
  'procedure' as analysis_unit,
  count(*) as n,
  sum(minutes order by minutes) as total_min,
  sum(minutes order by minutes) / count(*) as mean_min,
  stddev_samp(minutes order by minutes) as sd_min,
  min(minutes) as minimum_min,
  max(minutes) as maximum_min,
  quantile_cont(minutes, 0.5) as median_min,
  -- quantile_cont interpolates between order statistics (type 7). Under five values it would draw quartiles out of thin air.
  case when count(*) >= 5 then quantile_cont(minutes, 0.1) end as p10_min,
  case when count(*) >= 5 then quantile_cont(minutes, 0.25) end as q1_min,
  case when count(*) >= 5 then quantile_cont(minutes, 0.75) end as q3_min,
  case when count(*) >= 5 then quantile_cont(minutes, 0.9) end as p90_min,
  case when count(*) >= 5 then quantile_cont(minutes, 0.95) end as p95_min,
  case when count(*) < 5 then list(minutes order by minutes) end as values_min
from grouped
group by cohort, measure, group_by, group_value
