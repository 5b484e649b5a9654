-- Kaplan-Meier over subjects, never over procedures: a death counts once (Kaplan and Meier 1958). Variance after Greenwood,
-- limits on the log(-log) scale (Kalbfleisch and Prentice).
with subject as (
  select cohort, follow_up_months as time_months, is_dead
  from {{ ref('dim_subject') }}
  where first_treated_at is not null and follow_up_months >= 0 and is_dead is not null
),

time as (
  select cohort, time_months from subject
  union
  select cohort, unnest(range(0, max(time_months)::integer + 1, 12))::decimal(7, 1) from subject group by cohort
),

risk as (
  select
    time.cohort,
    time.time_months,
    count(*) as n,
    count(*) filter (where subject.time_months >= time.time_months) as at_risk,
    count(*) filter (where subject.time_months = time.time_months and is_dead) as deaths,
    count(*) filter (where subject.time_months = time.time_months and not is_dead) as censored
  from time
  inner join subject using (cohort)
  group by time.cohort, time.time_months
  having at_risk > 0
),

curve as (
  select
    *,
    product(1 - deaths / at_risk) over so_far as survival,
    -- Greenwood's sum has no term once nobody is left: its error is then null, never zero.
    case when max(deaths = at_risk) over so_far then null
      else sum(case when deaths < at_risk then deaths / (at_risk * (at_risk - deaths)) end) over so_far end as greenwood
  from risk
  window so_far as (partition by cohort order by time_months)
),

-- S may be exactly one half on a flat step; the product of fractions may miss it by a rounding error.
median as (
  select cohort, min_by(struct_pack(time_months, at_risk), time_months) as at_median
  from curve
  where survival <= 0.5 + 1e-9
  group by cohort
)

select
  cohort,
  'subject' as analysis_unit,
  time_months,
  n,
  at_risk,
  deaths,
  censored,
  survival,
  survival * sqrt(greenwood) as std_error,
  case when survival < 1 then survival ** exp(1.959963984540054 * sqrt(greenwood) / -ln(nullif(survival, 0))) end as lower_95,
  case when survival < 1 then survival ** exp(-1.959963984540054 * sqrt(greenwood) / -ln(nullif(survival, 0))) end as upper_95,
  time_months % 12 = 0 as is_year_mark,
  median.at_median.time_months as median_months,
  median.at_median.at_risk as at_risk_at_median
from curve
left join median using (cohort)
