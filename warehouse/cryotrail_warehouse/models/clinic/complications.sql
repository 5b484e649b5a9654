select
  procedure_label as procedure, complication.kind, complication.reported_at, complication.hours_from_end, complication.structure,
  complication.gradings, complication.resolution_outcome, data_origin
from {{ ref('fct_complication') }} as complication
inner join {{ ref('fct_procedure') }} using (procedure_id)
order by procedure_label, complication.reported_at
