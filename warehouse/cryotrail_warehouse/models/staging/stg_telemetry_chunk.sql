-- Telemetry chunks that are not voided, amendments applied.
select
  chunk.seq,
  chunk.procedure_id,
  coalesce(corrected.event ->> '$.channel', chunk.channel) as channel,
  case when corrected.event is null then chunk.probe_id else corrected.event ->> '$.probe_id' end as probe_id,
  case when corrected.event is null then chunk.sensor_id else corrected.event ->> '$.sensor_id' end as sensor_id,
  case when corrected.event is null then chunk.cycle_no else (corrected.event ->> '$.cycle_no')::integer end as cycle_no,
  coalesce(epoch_us((corrected.event ->> '$.header.occurred_at')::timestamptz), chunk.started_us) as started_us,
  coalesce((corrected.event ->> '$.period_ms')::integer, chunk.period_ms) as period_ms,
  coalesce((corrected.event -> '$.values')::float[], chunk.values) as values,
  coalesce(corrected.event ->> '$.quality', chunk.quality) as quality
from {{ source('raw', 'telemetry_chunk') }} as chunk
left join {{ source('corrections', 'current_event') }} as corrected using (event_id)
where not coalesce(corrected.is_voided, false)
