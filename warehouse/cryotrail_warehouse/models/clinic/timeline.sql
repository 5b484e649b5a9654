select
  procedure_label as procedure, event.order_no as "order", event.occurred_at, event.minute_from_start, event.band, event.summary,
  event.event_type, event.is_voided, event.is_amended, event.recorded_at, event.data_origin, event.event_id
from {{ ref('fct_timeline_event') }} as event
inner join {{ ref('fct_procedure') }} using (procedure_id)
order by procedure_label, event.order_no
