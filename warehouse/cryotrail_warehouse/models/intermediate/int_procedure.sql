-- Start and end of each procedure: minute 0 and the bands of every other model.
-- A procedure exists while it has an event that is neither voided nor a correction.
select
  procedure_id,
  min_by(subject_id, case event_type when 'ProcedureStarted' then order_no when 'ProcedureScheduled' then order_no + 1000000
    else order_no + 2000000 end) as subject_id,
  min_by(occurred_at, order_no) filter (where event_type = 'ProcedureStarted') as started_at,
  max_by(occurred_at, order_no) filter (where event_type = 'ProcedureEnded') as ended_at,
  -- The least real event decides what the whole may be called.
  max_by(data_origin, case data_origin when 'SYNTHETIC' then 5 when 'RECONSTRUCTED' then 4 when 'BACKFILL' then 2
    when 'LIVE' then 1 else 3 end) as data_origin
from {{ ref('stg_event') }}
where not is_voided and event_type not in ('EventAmended', 'EventVoided')
group by procedure_id
