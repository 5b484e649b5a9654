select
  event.procedure_id,
  event_id,
  case event_type
    when 'FollowUpImagingPerformed' then 'IMAGING'
    when 'ResponseAssessed' then 'RESPONSE'
    when 'RecurrenceDetected' then 'RECURRENCE'
    else 'VITAL_STATUS' end as kind,
  procedure.subject_id,
  lesion_id,
  occurred_at,
  site_date(occurred_at) as occurred_on,
  months_between(site_date(procedure.started_at), site_date(occurred_at)) as months_from_start,
  planned_month,
  modality,
  gadolinium,
  imaging_event_id,
  focal_enlargement,
  enhancement,
  local_control,
  recist,
  longest_diameter_mm,
  case event_type when 'RecurrenceDetected' then location end as recurrence_location,
  vital_status,
  disease_status,
  last_contact_on,
  seq
from {{ ref('stg_event') }} as event
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
where event_type in ('FollowUpImagingPerformed', 'ResponseAssessed', 'RecurrenceDetected', 'VitalStatusUpdated')
  and not is_voided
