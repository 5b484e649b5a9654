select
  procedure_label as procedure, treated_on, histology, site, tissue, tumour_size_mm, duration_min, probe_count, cycle_count,
  freeze_min, thaw_min, last_margin_mm, embolized, displaced, complication_count, status, data_origin
from {{ ref('fct_procedure') }}
order by treated_on, procedure_label
