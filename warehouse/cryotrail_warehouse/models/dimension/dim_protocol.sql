-- Nominal values. seed-2016: Susa et al. 2016, BMC Cancer 16:798 (20 + 10 min, two cycles in bone, three in soft tissue,
-- 10 mm of ice beyond the tumour). generic-10-8-10: Insights Imaging 2016 (10 min freeze, 5-10 min thaw); margin: Sheth.
with nominal as (
  select * from (values
    ('seed-2016', 20, 10, 2, 3, 10),
    ('generic-10-8-10', 10, 8, 2, 2, 5)
  ) as known (protocol_id, freeze_nominal_min, thaw_nominal_min, cycles_bone, cycles_soft_tissue, min_margin_mm)
),

scheduled as (
  select protocol_id, protocol_version, count(*) as procedure_count
  from {{ ref('fct_procedure') }}
  where protocol_id is not null
  group by protocol_id, protocol_version
)

select
  protocol_id,
  protocol_version,
  freeze_nominal_min,
  thaw_nominal_min,
  cycles_bone,
  cycles_soft_tissue,
  min_margin_mm,
  procedure_count
from scheduled
left join nominal using (protocol_id)
