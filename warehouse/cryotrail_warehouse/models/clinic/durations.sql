select cohort, group_by, group_value, n, total_min, mean_min, minimum_min, maximum_min, median_min, q1_min, q3_min, values_min
from {{ ref('cohort_duration') }}
where measure = 'duration_min'
order by cohort, group_by, group_value
