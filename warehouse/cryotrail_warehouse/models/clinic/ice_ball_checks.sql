select
  procedure_label as procedure, looked_at.cycle_no as cycle, looked_at.minute_from_start, looked_at.covers_tumour,
  looked_at.smallest_margin_mm, looked_at.smallest_margin_direction, looked_at.measured_margin_count, data_origin
from {{ ref('fct_ice_ball_check') }} as looked_at
inner join {{ ref('fct_procedure') }} using (procedure_id)
order by procedure_label, looked_at.checked_at
