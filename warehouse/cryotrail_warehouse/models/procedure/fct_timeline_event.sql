with described as (
  select
    *,
    case
      when probe_id is not null then 'Probe ' || probe_id || ': '
      when sensor_id is not null then 'Sensor ' || sensor_id || ': '
      else '' end as who,
    coalesce(' ' || cycle_no, '') as which_cycle,
    least(margin_cranial_mm, margin_caudal_mm, margin_anterior_mm, margin_posterior_mm, margin_medial_mm, margin_lateral_mm)
      as smallest_margin_mm,
    event_type in ('EventAmended', 'EventVoided', 'ProcedureSealed', 'ProcedureReviewed', 'OutboxLossReported',
      'TelemetryGapReported') as is_record
  from {{ ref('stg_event') }}
),

-- One line for people. Free text (`*_text`) is never repeated here: it may be personal.
summarised as (
  select
    *,
    case event_type
      when 'ProcedureScheduled' then 'scheduled' || words(': ', histology) || words(', ', site) || number_text(', ', '%.0f mm', tumour_size_mm)
      when 'LesionAdded' then 'lesion added' || words(': ', histology) || words(', ', site) || number_text(', ', '%.0f mm', tumour_size_mm)
      when 'CaseDecisionRecorded' then 'case decision' || words(': ', decision)
      when 'ConsentObtained' then 'consent obtained' || words(', ', form)
      when 'LabResultRecorded' then concat_ws(' ', 'laboratory:', replace(analyte, '_', ' '), value, unit_ucum) || words(', ', interpretation)
      when 'EmbolizationPerformed' then 'embolization' || yes_or_no(', ', successful, 'successful', 'not successful')
      when 'ChecklistCompleted' then 'checklist completed' || words(': ', phase)
      when 'AnaesthesiaGiven' then 'anaesthesia' || words(', ', kind)
      when 'MedicationGiven' then 'medication' || words(': ', kind)
      when 'ProcedureStarted' then 'start: first skin puncture'
      when 'CtAcquired' then 'CT' || words(', ', phase) || coalesce(', cycle ' || cycle_no, '')
      when 'TrajectoryPlanned' then 'trajectory planned'
      when 'DisplacementPerformed' then 'displacement' || words(' of ', structure) || words(' by ', medium) || yes_or_no(', ', successful, 'successful', 'not successful')
      when 'SkinProtectionApplied' then 'skin protected' || words(': ', method)
      when 'ThermosensorPlaced' then 'placed' || words(', ', location)
      when 'NeuromonitoringRecorded' then 'neuromonitoring' || coalesce(', ' || replace(modality, '_', '-'), '') || case when alarm then ': alarm' else '' end
      when 'ProbeInserted' then 'in'
      when 'ProbePositionChecked' then 'position' || words(' ', outcome)
      when 'ProbeAnchored' then 'anchored'
      when 'FreezeStarted' then 'freeze' || which_cycle || ' started'
      when 'FreezeStopped' then 'freeze' || which_cycle || ' stopped' || words(', ', stop_reason)
      when 'FlowChanged' then 'flow' || number_text(' ', '%.0f %%', flow_pct)
      when 'ThawStarted' then 'thaw' || which_cycle || ' started' || words(', ', mode)
      when 'ThawStopped' then 'thaw' || which_cycle || ' stopped'
      when 'IceBallChecked' then 'ice ball checked' || yes_or_no(', ', covers_tumour, 'covers the tumour', 'does not cover the tumour')
        || number_text(', smallest margin ', '%.1f mm', smallest_margin_mm)
      when 'ProbeRemoved' then 'out'
      when 'TractChecked' then 'tract ' || yes_or_no('', bleeding, 'bleeding', 'dry')
      when 'HaemostasisApplied' then 'haemostasis applied'
      when 'DeviceAlarmRaised' then 'device alarm' || words(', ', severity)
      when 'TechnicalSuccessAssessed' then 'technical success' || yes_or_no(': ', successful, 'yes', 'no')
      when 'ProcedureEnded' then 'end' || words(': ', status)
      when 'PatientDischarged' then 'discharged' || words(': ', destination)
      when 'ComplicationReported' then 'complication' || words(': ', kind)
      when 'ComplicationRegraded' then 'complication regraded: ' || replace(grading.scale, '_', ' ') || ' ' || grading.grade
      when 'ComplicationResolved' then 'complication' || words(': ', outcome)
      when 'FollowUpImagingPerformed' then 'follow-up ' || coalesce(replace(nullif(modality, 'UNKNOWN'), '_', '/'), 'imaging')
        || coalesce(', month ' || planned_month, '')
      when 'ResponseAssessed' then 'response assessed' || yes_or_no(', ', local_control, 'local control', 'no local control')
        || words(', enhancement: ', enhancement)
      when 'RecurrenceDetected' then 'recurrence' || words(', ', location)
      when 'VitalStatusUpdated' then 'status' || words(': ', vital_status) || coalesce(', ' || nullif(disease_status, 'UNKNOWN'), '')
        || coalesce(', last contact ' || last_contact_on, '')
      when 'EventAmended' then 'amended' || words(': ', reason)
      when 'EventVoided' then 'voided' || words(': ', reason)
      when 'ProcedureSealed' then 'record of the procedure day sealed'
      when 'ProcedureReviewed' then 'review' || words(': ', meaning)
      when 'OutboxLossReported' then 'loss in the outbox reported' || words(': ', reason)
      when 'TelemetryGapReported' then 'gap' || words(' in ', channel) || words(': ', reason)
      else event_type
    end as what
  from described
)

select
  summarised.procedure_id,
  event_id,
  seq,
  order_no,
  event_type,
  occurred_at,
  recorded_at,
  original_occurred_at,
  minutes_between(procedure.started_at, occurred_at) as minute_from_start,
  case
    when is_record then 'RECORD'
    when procedure.started_at is null or occurred_at < procedure.started_at then 'BEFORE'
    when occurred_at > procedure.ended_at then 'AFTER'
    else 'DURING' end as band,
  case
    when is_record then 'Record'
    when probe_id is not null then 'Probe ' || probe_id
    when event_type in ('CtAcquired', 'IceBallChecked') then 'CT'
    else 'Events' end as lane,
  probe_id,
  cycle_no,
  lesion_id,
  device_id,
  actor_role,
  case when who = '' then upper(what[1]) || what[2:] else who || what end as summary,
  time_basis,
  clock_offset_ms,
  summarised.data_origin,
  is_voided,
  len(amended_paths) > 0 as is_amended,
  amended_paths,
  has_concurrent_amendment,
  correction_status,
  target_event_id as correction_target_event_id
from summarised
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
