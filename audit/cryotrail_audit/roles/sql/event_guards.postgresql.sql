-- No DDL touches the store, whoever issues it: the owner of its tables could otherwise switch the
-- triggers off, and so could a superuser by mistake.
--
-- These functions and event triggers belong to the superuser that runs this, and stand in a
-- schema of their own: the owner of schema audit could drop whatever stands in that one.  Whoever
-- is a superuser can disable them.  That is how an upgrade passes (it drops them and makes them
-- anew within its own transaction), and verification finds what is done without them.

create schema if not exists audit_guard;
revoke all on schema audit_guard from public;

-- What the commands' own reports do not show: what left the schema (SET SCHEMA, RENAME, REASSIGN
-- OWNED), who was granted what, and children, whose rows would be read as the parent's.
create or replace view audit_guard.standing as
  select 'schema audit, owner ' || nspowner::regrole as what
  from pg_namespace where nspname = 'audit'
union all
  select format('relation %s, owner %s', relname, relowner::regrole)
  from pg_class
  where relnamespace = to_regnamespace('audit') and relkind not in ('c', 't')
union all
  select format('%s on %s to %s', privilege_type, relname, grantee::regrole)
  from pg_class, aclexplode(relacl)
  where relnamespace = to_regnamespace('audit') and relkind not in ('c', 't')
union all
  select format('columns of %s granted', attrelid::regclass)
  from pg_attribute join pg_class on pg_class.oid = attrelid
  where relnamespace = to_regnamespace('audit') and attacl is not null
union all
  select format('function %s, owner %s', oid::regprocedure, proowner::regrole)
  from pg_proc where pronamespace = to_regnamespace('audit')
union all
  select format('child %s of %s', inhrelid::regclass, inhparent::regclass)
  from pg_inherits join pg_class on pg_class.oid = inhparent
  where relnamespace = to_regnamespace('audit') and relkind = 'r'
union all
  select format('rule %s on %s', rulename, ev_class::regclass)
  from pg_rewrite join pg_class on pg_class.oid = ev_class
  where relnamespace = to_regnamespace('audit') and relkind = 'r';

create table if not exists audit_guard.recorded (what text not null primary key);
revoke all on audit_guard.standing, audit_guard.recorded from public;
delete from audit_guard.recorded;
insert into audit_guard.recorded select distinct what from audit_guard.standing;

create or replace function audit_guard.refuse_ddl() returns event_trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  touched text;
begin
  -- A rule, a trigger and a policy report no schema: they are known by the table that they are on.
  select object_identity into touched from pg_event_trigger_ddl_commands()
  where command_tag not in ('REINDEX', 'COMMENT') and (
    schema_name in ('audit', 'audit_guard')
    or object_type = 'schema' and object_identity in ('audit', 'audit_guard')
    or object_type in ('trigger', 'policy', 'rule')
      and object_identity ~ ' on audit(_guard)?\.')
  limit 1;
  if touched is null then
    select coalesce(recorded.what, standing.what) into touched
    from audit_guard.recorded full join audit_guard.standing using (what)
    where recorded.what is null or standing.what is null
    limit 1;
  end if;
  if touched is not null then
    raise exception 'the audit store is append-only: % refused (%)', tg_tag, touched
      using errcode = 'restrict_violation';
  end if;
end $$;

create or replace function audit_guard.refuse_drop() returns event_trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  touched text;
begin
  select object_identity into touched from pg_event_trigger_dropped_objects()
  where object_type <> 'publication relation'
    and address_names[1] in ('audit', 'audit_guard')
    and (object_type = 'schema' or cardinality(address_names) > 1)
  limit 1;
  if touched is not null then
    raise exception 'the audit store is append-only: % refused (%)', tg_tag, touched
      using errcode = 'restrict_violation';
  end if;
end $$;

revoke all on function audit_guard.refuse_ddl(), audit_guard.refuse_drop() from public;

create event trigger audit_refuse_ddl on ddl_command_end
  execute function audit_guard.refuse_ddl();
create event trigger audit_refuse_drop on sql_drop
  execute function audit_guard.refuse_drop();
-- Also in replica mode.
alter event trigger audit_refuse_ddl enable always;
alter event trigger audit_refuse_drop enable always;
