select
  subject_id, sex, age_years, first_treated_on, procedure_count, lesion_count, vital_status, disease_status, last_contact_on,
  follow_up_months, data_origin
from {{ ref('dim_subject') }}
order by first_treated_on, subject_id
