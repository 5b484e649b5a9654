-- Long form: every figure in the one unit in which it is a fact.
with procedure as (
  select * from {{ ref('fct_procedure') }} where started_at is not null
),

subject as (
  select * from {{ ref('dim_subject') }} where first_treated_at is not null
),

-- A lesion once, as its latest procedure describes it.
lesion as (
  select cohort, lesion_id, max_by(struct_pack(histology, origin, tissue, site, tumour_size_mm), (started_at, procedure_id)) as latest
  from (
    select lesion.*, procedure.started_at
    from {{ ref('dim_lesion') }} as lesion
    inner join procedure using (procedure_id)
  )
  group by cohort, lesion_id
),

visit as (
  select procedure.cohort, count(*) filter (where kind = 'IMAGING' and modality = 'MRI') as mri_count
  from procedure
  left join {{ ref('fct_follow_up') }} using (procedure_id)
  group by procedure.cohort
),

counted as (
  select cohort, 'procedures' as measure, 'procedure' as analysis_unit, count(*) as total from procedure group by cohort
  union all select cohort, 'lesions', 'lesion', count(*) from lesion group by cohort
  union all select cohort, 'subjects', 'subject', count(*) from subject group by cohort
  union all select cohort, 'retreated_subjects', 'subject', count(*) filter (where procedure_count > 1) from subject group by cohort
  union all select cohort, 'cycles', 'procedure', sum(cycle_count) from procedure group by cohort
  union all select cohort, 'probe_cycles', 'procedure', count(*) from {{ ref('fct_freeze_thaw_cycle') }} inner join procedure using (procedure_id) group by cohort
  union all select cohort, 'ct_acquisitions', 'procedure', sum(ct_count) from procedure group by cohort
  union all select cohort, 'mri_visits_done', 'subject', mri_count from visit
  union all select cohort, 'mri_visits_due', 'subject', sum(visits_due(follow_up_months)) from subject group by cohort
),

number as (
  select cohort, 'age_years' as measure, 'subject' as analysis_unit, 'a' as unit, age_years::double as value from subject
  union all select cohort, 'follow_up_months', 'subject', 'mo', follow_up_months from subject
  union all select cohort, 'tumour_size_mm', 'lesion', 'mm', latest.tumour_size_mm from lesion
  union all select cohort, 'last_margin_mm', 'procedure', 'mm', last_margin_mm from procedure
  union all select cohort, 'stay_days', 'procedure', 'd', stay_days from procedure where ended_at is not null
),

category as (
  select cohort, 'sex' as measure, 'subject' as analysis_unit, sex as category from subject
  union all select cohort, 'disease_status', 'subject', disease_status from subject
  union all select cohort, 'vital_status', 'subject', vital_status from subject
  union all select cohort, 'histology', 'lesion', latest.histology from lesion
  union all select cohort, 'origin', 'lesion', latest.origin from lesion
  union all select cohort, 'tissue', 'lesion', latest.tissue from lesion
  union all select cohort, 'site', 'lesion', latest.site from lesion
  union all select cohort, 'embolized', 'procedure', embolized::varchar from procedure
  union all select cohort, 'displaced', 'procedure', displaced::varchar from procedure
  union all select cohort, 'tumour_covered', 'procedure', last_covers_tumour::varchar from procedure where cycle_count > 0
),

tally as (
  select cohort, measure, analysis_unit, category, count(*) as k
  from category where category <> 'UNKNOWN'
  group by cohort, measure, analysis_unit, category
),

denominator as (
  select
    cohort,
    measure,
    count(*) filter (where category <> 'UNKNOWN') as n,
    count(*) filter (where category is null or category = 'UNKNOWN') as unknown_count
  from category
  group by cohort, measure
)

select cohort, measure, null::varchar as category, analysis_unit, null::varchar as unit, total as n, 0 as unknown_count,
  null::integer as k, null::double as share, null::double as lower_95, null::double as upper_95,
  total::double as total, null::double as mean, null::double as minimum, null::double as maximum, null::double as median
from counted
union all
select cohort, measure, null, analysis_unit, unit, count(value), count(*) - count(value), null, null, null, null,
  sum(value order by value), sum(value order by value) / count(value), min(value), max(value), quantile_cont(value, 0.5)
from number
group by cohort, measure, analysis_unit, unit
union all
select cohort, measure, category, analysis_unit, null, n, unknown_count, k, k / n, wilson_lower(k, n), wilson_upper(k, n),
  null, null, null, null, null
from tally
inner join denominator using (cohort, measure)
