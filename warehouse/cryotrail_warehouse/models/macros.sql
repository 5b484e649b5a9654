-- Arithmetic that several models share. Temporary macros: nothing of them enters the published file.

create or replace temp macro minutes_between(earlier, later) as
  (epoch_us(later) - epoch_us(earlier)) / 60000000.0::double;

create or replace temp macro site_date(moment) as
  (moment at time zone getvariable('site_tz'))::date;

-- A month is 30.4375 days = 487/16, so days over it, in tenths and rounded half up, is an integer division:
-- no binary fraction decides whether 365 days are 12.0 months.
create or replace temp macro months_between(first_day, last_day) as
  (floor(((last_day - first_day) * 320 + 487) / 974.0::double) / 10)::decimal(7, 1);

-- Which rows may be counted together: what happened, what was reconstructed and what was made up never are.
create or replace temp macro cohort_of(data_origin) as
  case when data_origin in ('LIVE', 'BACKFILL') then 'CLINICAL' else data_origin end;

-- Wilson score limits of a proportion (Wilson 1927), z = the 97.5th percentile of the normal distribution.
create or replace temp macro wilson_lower(k, n) as
  greatest(0, (k / n + 1.9207294103470627 / n
    - 1.959963984540054 * sqrt(k / n * (1 - k / n) / n + 0.9603647051735313 / (n * n))) / (1 + 3.8414588206941254 / n))::double;

create or replace temp macro wilson_upper(k, n) as
  least(1, (k / n + 1.9207294103470627 / n
    + 1.959963984540054 * sqrt(k / n * (1 - k / n) / n + 0.9603647051735313 / (n * n))) / (1 + 3.8414588206941254 / n))::double;

-- A symbol of a code list as words (SOFT_TISSUE, soft tissue) behind a lead, and nothing where nothing is known.
create or replace temp macro words(lead, symbol) as
  coalesce(lead || lower(replace(nullif(symbol, 'UNKNOWN'), '_', ' ')), '');

create or replace temp macro yes_or_no(lead, answer, yes, no) as
  case when answer then lead || yes when not answer then lead || no else '' end;

create or replace temp macro number_text(lead, format, value) as coalesce(lead || printf(format, value), '');

-- MRI visits at 1, 3, 6 and 12 months that fall on or before the last contact, in rounded months.
create or replace temp macro visits_due(follow_up_months) as
  len(list_filter([1, 3, 6, 12], lambda month: month <= follow_up_months));
