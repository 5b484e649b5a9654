with looked_at as (
  select
    *,
    [margin_cranial_mm, margin_caudal_mm, margin_anterior_mm, margin_posterior_mm, margin_medial_mm, margin_lateral_mm]
      as margins_mm,
    least(margin_cranial_mm, margin_caudal_mm, margin_anterior_mm, margin_posterior_mm, margin_medial_mm, margin_lateral_mm)
      as smallest_margin_mm
  from {{ ref('stg_event') }}
  where event_type = 'IceBallChecked' and not is_voided
)

select
  looked_at.procedure_id,
  event_id,
  cycle_no,
  occurred_at as checked_at,
  minutes_between(procedure.started_at, occurred_at) as minute_from_start,
  covers_tumour,
  margin_cranial_mm,
  margin_caudal_mm,
  margin_anterior_mm,
  margin_posterior_mm,
  margin_medial_mm,
  margin_lateral_mm,
  smallest_margin_mm,
  (['cranial', 'caudal', 'anterior', 'posterior', 'medial', 'lateral'])[list_position(margins_mm, smallest_margin_mm)]
    as smallest_margin_direction,
  len(list_filter(margins_mm, lambda margin: margin is not null)) as measured_margin_count,
  long_axis_mm,
  short_axis_mm,
  low_density_seen,
  ct_event_id,
  order_no = max(order_no) over (partition by looked_at.procedure_id, cycle_no) as is_last_of_cycle,
  row_number() over (partition by looked_at.procedure_id order by cycle_no desc, order_no desc) = 1 as is_last_of_procedure,
  seq
from looked_at
inner join {{ ref('int_procedure') }} as procedure using (procedure_id)
