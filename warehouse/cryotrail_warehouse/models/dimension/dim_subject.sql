with treated as (
  select
    subject_id,
    count(started_at) as procedure_count,
    min_by(procedure_id, (started_at, procedure_id)) filter (where started_at is not null) as first_procedure_id,
    min(started_at) as first_treated_at,
    min(treated_on) as first_treated_on,
    -- Sex and age as they were scheduled for the first treatment; for one who was never treated, as scheduled first.
    min_by(struct_pack(sex, age_years), (coalesce(started_at, timestamptz '9999-01-01 00:00:00+00'), first_event_at, procedure_id))
      filter (where sex is not null or age_years is not null) as person,
    max_by(data_origin, case data_origin when 'SYNTHETIC' then 5 when 'RECONSTRUCTED' then 4 when 'BACKFILL' then 2
      when 'LIVE' then 1 else 3 end) as data_origin,
    max(last_seq) as last_seq
  from {{ ref('fct_procedure') }}
  group by subject_id
),

lesions as (
  select lesion.subject_id, count(distinct lesion.lesion_id) as lesion_count
  from {{ ref('dim_lesion') }} as lesion
  inner join {{ ref('fct_procedure') }} as procedure using (procedure_id)
  where procedure.started_at is not null
  group by lesion.subject_id
),

status as (
  select
    subject_id,
    max_by(struct_pack(vital_status, disease_status, last_contact_on), (last_contact_on, occurred_at, event_id)) as latest
  from {{ ref('fct_follow_up') }}
  where kind = 'VITAL_STATUS'
  group by subject_id
)

select
  subject_id,
  treated.person.sex as sex,
  treated.person.age_years as age_years,
  treated.procedure_count,
  coalesce(lesions.lesion_count, 0) as lesion_count,
  treated.first_procedure_id,
  treated.first_treated_at,
  treated.first_treated_on,
  status.latest.vital_status as vital_status,
  status.latest.disease_status as disease_status,
  status.latest.last_contact_on as last_contact_on,
  months_between(treated.first_treated_on, status.latest.last_contact_on) as follow_up_months,
  case status.latest.vital_status when 'DEAD' then true when 'ALIVE' then false when 'LOST_TO_FOLLOW_UP' then false end as is_dead,
  treated.data_origin,
  cohort_of(treated.data_origin) as cohort,
  treated.last_seq
from treated
left join lesions using (subject_id)
left join status using (subject_id)
