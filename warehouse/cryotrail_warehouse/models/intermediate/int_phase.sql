-- Freezes and thaws that have both ends, one row each, in the order of time.
select procedure_id, probe_id, cycle_no, 'FREEZE' as phase, freeze_started_at as started_at, freeze_stopped_at as stopped_at
from {{ ref('fct_freeze_thaw_cycle') }} where freeze_min is not null
union all
select procedure_id, probe_id, cycle_no, 'THAW', thaw_started_at, thaw_stopped_at
from {{ ref('fct_freeze_thaw_cycle') }} where thaw_min is not null
