select
  event.procedure_id,
  event_id,
  phase,
  cycle_no,
  occurred_at as acquired_at,
  minutes_between(procedure.started_at, occurred_at) as minute_from_start,
  dlp_mgycm,
  ctdi_vol_mgy,
  seq
from {{ ref('stg_event') }} as event
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
where event_type = 'CtAcquired' and not is_voided
