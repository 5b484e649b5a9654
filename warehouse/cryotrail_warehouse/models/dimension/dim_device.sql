with seen as (
  select
    device_id,
    count(distinct procedure_id) as procedure_count,
    count(*) as event_count,
    min(occurred_at) as first_seen_at,
    max(occurred_at) as last_seen_at
  from {{ ref('fct_timeline_event') }}
  where device_id is not null and not is_voided
  group by device_id
),

console as (
  select
    device_id,
    max_by(struct_pack(console_model_text, gas), (started_at, procedure_id)) as latest
  from {{ ref('fct_procedure') }}
  where device_id is not null and started_at is not null
  group by device_id
)

select
  device_id,
  console.latest.console_model_text as console_model_text,
  console.latest.gas as gas,
  seen.procedure_count,
  seen.event_count,
  seen.first_seen_at,
  seen.last_seen_at
from seen
left join console using (device_id)
