with described as (
  select *, row_number() over (partition by procedure_id, lesion_id order by order_no desc) as latest_first
  from {{ ref('stg_event') }}
  where event_type in ('ProcedureScheduled', 'LesionAdded') and not is_voided and lesion_id is not null
)

select
  described.lesion_id,
  described.procedure_id,
  procedure.subject_id,
  event_type = 'ProcedureScheduled' as is_index,
  histology,
  origin,
  tissue,
  site,
  side,
  tumour_size_mm,
  bone_matrix,
  weight_bearing,
  skin_distance_mm,
  nearest_structure,
  nearest_structure_distance_mm,
  prior_irradiation,
  procedure.data_origin,
  cohort_of(procedure.data_origin) as cohort,
  seq as last_seq
from described
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
where latest_first = 1
