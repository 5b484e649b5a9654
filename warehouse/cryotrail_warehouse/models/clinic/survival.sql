select cohort, time_months, at_risk, deaths, censored, survival, lower_95, upper_95, median_months, at_risk_at_median
from {{ ref('cohort_survival') }}
order by cohort, time_months
