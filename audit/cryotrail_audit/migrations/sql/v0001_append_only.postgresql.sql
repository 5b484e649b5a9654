-- Every table of the store refuses UPDATE, DELETE and TRUNCATE, for every role, also in replica
-- mode (enable always).  The statement trigger makes a statement that touches no row fail as
-- loudly as one that touches many, MERGE and ON CONFLICT DO UPDATE among them.
--
-- A superuser can switch triggers off: verification finds what is done then.

create function audit.refuse_change() returns trigger language plpgsql
set search_path = pg_catalog as $$
begin
  raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
    using errcode = 'restrict_violation';
end $$;

create trigger log_statement before update or delete or truncate on audit.log
  for each statement execute function audit.refuse_change();
create trigger log_row before update or delete on audit.log
  for each row execute function audit.refuse_change();
alter table audit.log enable always trigger log_statement;
alter table audit.log enable always trigger log_row;

create trigger topic_statement before update or delete or truncate on audit.topic
  for each statement execute function audit.refuse_change();
create trigger topic_row before update or delete on audit.topic
  for each row execute function audit.refuse_change();
alter table audit.topic enable always trigger topic_statement;
alter table audit.topic enable always trigger topic_row;

create trigger schema_statement before update or delete or truncate on audit.schema
  for each statement execute function audit.refuse_change();
create trigger schema_row before update or delete on audit.schema
  for each row execute function audit.refuse_change();
alter table audit.schema enable always trigger schema_statement;
alter table audit.schema enable always trigger schema_row;

create trigger entry_statement before update or delete or truncate on audit.entry
  for each statement execute function audit.refuse_change();
create trigger entry_row before update or delete on audit.entry
  for each row execute function audit.refuse_change();
alter table audit.entry enable always trigger entry_statement;
alter table audit.entry enable always trigger entry_row;

create trigger batch_statement before update or delete or truncate on audit.batch
  for each statement execute function audit.refuse_change();
create trigger batch_row before update or delete on audit.batch
  for each row execute function audit.refuse_change();
alter table audit.batch enable always trigger batch_statement;
alter table audit.batch enable always trigger batch_row;

create trigger batch_partition_statement before update or delete or truncate on audit.batch_partition
  for each statement execute function audit.refuse_change();
create trigger batch_partition_row before update or delete on audit.batch_partition
  for each row execute function audit.refuse_change();
alter table audit.batch_partition enable always trigger batch_partition_statement;
alter table audit.batch_partition enable always trigger batch_partition_row;

create trigger claim_statement before update or delete or truncate on audit.claim
  for each statement execute function audit.refuse_change();
create trigger claim_row before update or delete on audit.claim
  for each row execute function audit.refuse_change();
alter table audit.claim enable always trigger claim_statement;
alter table audit.claim enable always trigger claim_row;

create trigger redelivery_statement before update or delete or truncate on audit.redelivery
  for each statement execute function audit.refuse_change();
create trigger redelivery_row before update or delete on audit.redelivery
  for each row execute function audit.refuse_change();
alter table audit.redelivery enable always trigger redelivery_statement;
alter table audit.redelivery enable always trigger redelivery_row;

-- Verification reads one log: what stands behind a second one would go unread.  So there is one.
create function audit.refuse_second_log() returns trigger language plpgsql
set search_path = pg_catalog as $$
begin
  if (select count(*) from audit.log) > 1 then
    raise exception 'audit.log is append-only: a store has one log'
      using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger log_single after insert on audit.log
  for each statement execute function audit.refuse_second_log();
alter table audit.log enable always trigger log_single;

-- seq has no gap: what a statement leaves behind follows the last batch without one.  No
-- transition table: it would copy every row once more.
create function audit.refuse_gap() returns trigger language plpgsql
set search_path = pg_catalog as $$
declare
  site record;
  added record;
begin
  for site in
    select log_id, coalesce((
      select tree_size from audit.batch where batch.log_id = log.log_id
      order by batch_no desc limit 1), 0) as tree_size
    from audit.log
  loop
    select min(seq) as first_seq, max(seq) as last_seq, count(*) as rows into added
    from audit.entry where log_id = site.log_id and seq >= site.tree_size;
    if added.first_seq <> site.tree_size
      or added.last_seq - added.first_seq + 1 <> added.rows
    then
      raise exception 'audit.entry is append-only: seq % to % do not follow %',
        added.first_seq, added.last_seq, site.tree_size - 1
        using errcode = 'restrict_violation';
    end if;
  end loop;
  return null;
end $$;
create trigger entry_gap after insert on audit.entry
  for each statement execute function audit.refuse_gap();
alter table audit.entry enable always trigger entry_gap;
