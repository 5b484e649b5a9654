with quarantined as (
  select remark.seq, max(replay.source_seq) as source_seq
  from {{ source('raw', 'remark') }} as remark
  left join {{ source('raw', 'replay') }} as replay on replay.source_seq = remark.seq
  where remark.kind = 2
  group by remark.seq
),

checked as (
  select 'conflicting_records' as check_name, count(*) filter (where kind = 1) as found, null::bigint as checked, 'record' as unit,
    'the same event id arrived with other content; the first one counts, the other is kept in the log' as description
  from {{ source('raw', 'remark') }}
  union all select 'quarantined_records', count(*) filter (where source_seq is null), count(*), 'record',
    'records that could not be read and still wait; their bytes are kept: cryotrail audit quarantine list --open'
  from quarantined
  union all select 'replayed_records', count(source_seq), count(*), 'record',
    'records that could not be read at first and were read later, or corrected by an operator'
  from quarantined
  union all select 'loss_alarms', count(*) filter (where kind = 3 and event_type = 'loss_alarm'), null, 'alarm',
    'a topic was re-created or its tail was cut'
  from {{ source('raw', 'remark') }}
  union all select 'unread_events', count(*) filter (where kind = 0), null, 'event',
    'recorded events of a type or schema that this version does not know; a newer version reads them by a rebuild'
  from {{ source('raw', 'remark') }}
  union all select 'corrections_waiting', count(*) filter (where correction_status = 'WAITING'),
    count(*) filter (where correction_status is not null), 'correction', 'the event that they target has not arrived'
  from {{ ref('fct_timeline_event') }}
  union all select 'corrections_not_applied', count(*) filter (where correction_status not in ('APPLIED', 'TAKEN_BACK', 'WAITING')),
    count(*) filter (where correction_status is not null), 'correction',
    'all or part of them changes nothing: other content than the target has, another procedure, a seal, no such field, no such value'
  from {{ ref('fct_timeline_event') }}
  union all select 'concurrent_amendments', count(*) filter (where has_concurrent_amendment), count(*), 'event',
    'two amendments replace the same value without knowing of each other; the later one counts until somebody decides'
  from {{ ref('fct_timeline_event') }}
  union all select 'unpaired_cycles', count(*) filter (where pairing <> 'closed'), count(*), 'probe cycle',
    'a freeze or thaw lacks its start or stop; its minutes are not counted'
  from {{ ref('fct_freeze_thaw_cycle') }}
  union all select 'repeated_cycle_events', count(*) filter (where is_repeated), count(*), 'probe cycle',
    'a start or stop occurs twice under one cycle number; first start and last stop count'
  from {{ ref('fct_freeze_thaw_cycle') }}
  union all select 'backward_durations', count(*) filter (where duration_min < 0), count(duration_min), 'procedure',
    'the end lies before the start'
  from {{ ref('fct_procedure') }}
  union all select 'unsealed_procedures', count(*) filter (where ended_at is not null and not sealed),
    count(*) filter (where ended_at is not null), 'procedure', 'ended, but the record of the day is not sealed: events may be missing'
  from {{ ref('fct_procedure') }}
  union all select 'unscheduled_procedures', count(*) filter (where procedure_label is null), count(*), 'procedure',
    'no ProcedureScheduled: lesion, age and sex are unknown'
  from {{ ref('fct_procedure') }}
  union all select 'unknown_follow_up', count(*) filter (where follow_up_months is null or is_dead is null), count(*), 'subject',
    'treated subjects without vital status: they are in no survival figure'
  from {{ ref('dim_subject') }} where first_treated_at is not null
  union all select 'missing_samples', coalesce(sum(missing_count), 0), coalesce(sum(sample_count + missing_count), 0), 'sample',
    'temperature samples that the device sent as missing'
  from {{ ref('fct_probe_temperature') }}
)

select * from checked
