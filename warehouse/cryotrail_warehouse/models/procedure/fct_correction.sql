-- What every amendment and void changes, also those that change nothing, with the original value beside it.
select
  event.procedure_id,
  change.event_id,
  change.position,
  event.seq,
  event.event_type,
  make_timestamptz(event.recorded_us) as recorded_at,
  event.event ->> '$.header.actor_role' as actor_role,
  event.event ->> '$.reason' as reason,
  change.target_event_id,
  change.target_event_type,
  change.path,
  change.original_value,
  change.value,
  change.supersedes_event_id,
  change.status,
  change.is_concurrent
from {{ source('corrections', 'correction_change') }} as change
inner join {{ source('raw', 'event') }} as event using (event_id)
inner join {{ ref('int_procedure') }} using (procedure_id)
