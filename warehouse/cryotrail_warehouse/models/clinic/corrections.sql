select
  procedure_label as procedure, correction.recorded_at, correction.event_type, correction.target_event_type, correction.path,
  correction.original_value, correction.value, correction.status, correction.is_concurrent, correction.reason, correction.actor_role,
  correction.target_event_id, correction.event_id
from {{ ref('fct_correction') }} as correction
inner join {{ ref('fct_procedure') }} using (procedure_id)
order by procedure_label, correction.target_event_id, correction.path, correction.seq, correction.position
