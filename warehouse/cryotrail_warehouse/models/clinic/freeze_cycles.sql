select
  procedure_label as procedure, cycle.probe_id as probe, cycle.cycle_no as cycle, cycle.freeze_start_minute, cycle.freeze_min,
  cycle.thaw_start_minute, cycle.thaw_min, cycle.stop_reason, cycle.thaw_mode, cycle.pairing, data_origin
from {{ ref('fct_freeze_thaw_cycle') }} as cycle
inner join {{ ref('fct_procedure') }} using (procedure_id)
order by procedure_label, cycle.cycle_no, cycle.probe_id
