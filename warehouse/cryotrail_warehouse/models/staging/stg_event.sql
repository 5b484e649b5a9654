-- Discrete events as they stand today: amendments applied, voided ones kept and marked.
-- The fields of all types side by side; a field that a type does not have is null.
with current_form as (
  select
    original.seq,
    original.event_id,
    original.event_type,
    original.procedure_id,
    make_timestamptz(original.recorded_us) as recorded_at,
    original.producer_id,
    original.procedure_seq,
    coalesce(corrected.is_voided, false) as is_voided,
    coalesce(corrected.amended_paths, []) as amended_paths,
    coalesce(corrected.has_concurrent_amendment, false) as has_concurrent_amendment,
    corrected.correction_status,
    case when corrected.event is not null
      then (original.event ->> '$.header.occurred_at')::timestamptz end as published_occurred_at,
    from_json(coalesce(corrected.event, original.event), '{
      "header": {
        "lesion_id": "UUID", "subject_id": "UUID", "device_id": "VARCHAR", "actor_role": "VARCHAR",
        "occurred_at": "TIMESTAMPTZ", "time_basis": "VARCHAR", "clock_offset_ms": "INTEGER", "data_origin": "VARCHAR"},
      "procedure_label": "VARCHAR", "protocol_id": "VARCHAR", "protocol_version": "VARCHAR",
      "age_years": "INTEGER", "sex": "VARCHAR", "intent": "VARCHAR", "scheduled_for": "TIMESTAMPTZ",
      "retreatment_of_procedure_id": "UUID",
      "histology": "VARCHAR", "origin": "VARCHAR", "tissue": "VARCHAR", "site": "VARCHAR", "side": "VARCHAR",
      "tumour_size_mm": "DOUBLE", "bone_matrix": "VARCHAR", "weight_bearing": "BOOLEAN", "skin_distance_mm": "DOUBLE",
      "nearest_structure": "VARCHAR", "nearest_structure_distance_mm": "DOUBLE", "prior_irradiation": "BOOLEAN",
      "decision": "VARCHAR", "form": "VARCHAR", "analyte": "VARCHAR", "value": "DOUBLE", "unit_ucum": "VARCHAR",
      "interpretation": "VARCHAR", "successful": "BOOLEAN", "phase": "VARCHAR", "kind": "VARCHAR",
      "patient_position": "VARCHAR", "gas": "VARCHAR", "console_model_text": "VARCHAR", "planned_probe_count": "INTEGER",
      "cycle_no": "INTEGER", "dlp_mgycm": "DECIMAL(10,2)", "ctdi_vol_mgy": "DECIMAL(10,2)",
      "medium": "VARCHAR", "structure": "VARCHAR", "method": "VARCHAR", "sensor_id": "VARCHAR", "location": "VARCHAR",
      "modality": "VARCHAR", "alarm": "BOOLEAN",
      "probe_id": "VARCHAR", "probe_no": "INTEGER", "probe_model_text": "VARCHAR", "gauge": "INTEGER",
      "diameter_mm": "DOUBLE", "depth_mm": "DOUBLE", "angle_deg": "DOUBLE", "outcome": "VARCHAR",
      "flow_pct": "DOUBLE", "stop_reason": "VARCHAR", "tip_min_cel": "DOUBLE", "mode": "VARCHAR", "tip_max_cel": "DOUBLE",
      "covers_tumour": "BOOLEAN", "margin_cranial_mm": "DOUBLE", "margin_caudal_mm": "DOUBLE",
      "margin_anterior_mm": "DOUBLE", "margin_posterior_mm": "DOUBLE", "margin_medial_mm": "DOUBLE",
      "margin_lateral_mm": "DOUBLE", "long_axis_mm": "DOUBLE", "short_axis_mm": "DOUBLE",
      "low_density_seen": "BOOLEAN", "ct_event_id": "UUID",
      "tip_temperature_cel": "DOUBLE", "bleeding": "BOOLEAN", "severity": "VARCHAR",
      "status": "VARCHAR", "destination": "VARCHAR",
      "complication_id": "UUID", "onset_at": "TIMESTAMPTZ", "relation": "VARCHAR",
      "gradings": [{"scale": "VARCHAR", "scale_version": "VARCHAR", "grade": "VARCHAR", "graded_on": "DATE"}],
      "grading": {"scale": "VARCHAR", "scale_version": "VARCHAR", "grade": "VARCHAR", "graded_on": "DATE"},
      "gadolinium": "BOOLEAN", "planned_month": "INTEGER", "imaging_event_id": "UUID", "focal_enlargement": "BOOLEAN",
      "enhancement": "VARCHAR", "local_control": "BOOLEAN", "recist": "VARCHAR", "longest_diameter_mm": "DOUBLE",
      "vital_status": "VARCHAR", "disease_status": "VARCHAR", "last_contact_on": "DATE",
      "target_event_id": "UUID", "reason": "VARCHAR", "meaning": "VARCHAR", "channel": "VARCHAR"}') as fields
  from {{ source('raw', 'event') }} as original
  left join {{ source('corrections', 'current_event') }} as corrected using (event_id)
),

flat as (
  select
    * exclude (fields, published_occurred_at),
    nullif(published_occurred_at, fields.header.occurred_at) as original_occurred_at,
    fields.header.lesion_id as lesion_id,
    fields.header.subject_id as subject_id,
    fields.header.device_id as device_id,
    fields.header.actor_role as actor_role,
    fields.header.occurred_at as occurred_at,
    fields.header.time_basis as time_basis,
    fields.header.clock_offset_ms as clock_offset_ms,
    fields.header.data_origin as data_origin,
    unnest(fields)
  from current_form
)

select
  * exclude (header),
  row_number() over (
    partition by procedure_id order by occurred_at, producer_id nulls last, procedure_seq nulls last, event_id
  )::integer as order_no
from flat
