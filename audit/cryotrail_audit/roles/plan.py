"""The SQL that gives a store its roles, as a plan to be read before it is run.

Every statement may be run again. The plan is one transaction, and names each object: what is in
the store is read from its catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from sqlalchemy import Connection

from cryotrail_audit.roles.names import APPENDED, SIGNED, RoleNames

_TABLES = """
select relname from pg_class
where relnamespace = 'audit'::regnamespace and relkind = 'r' order by relname
"""
_FUNCTIONS = """
select oid::regprocedure::text from pg_proc
where pronamespace = 'audit'::regnamespace order by 1
"""
_TRIGGERS = """
select relname, tgname from pg_trigger join pg_class on pg_class.oid = tgrelid
where relnamespace = 'audit'::regnamespace and not tgisinternal order by 1, 2
"""
# Try, shared and unlock variants too: whoever holds the append lock stops the writer.
_ADVISORY = r"""
select oid::regprocedure::text from pg_proc
where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_' order by 1
"""
_GRANTEES = """
select distinct quote_ident(rolname) from (
  select grantee from pg_class, aclexplode(relacl)
  where relnamespace = 'audit'::regnamespace
  union select grantee from pg_namespace, aclexplode(nspacl) where nspname = 'audit'
) granted join pg_roles on pg_roles.oid = grantee order by 1
"""
_POLICIES = """
select quote_ident(polname), relname from pg_policy join pg_class on pg_class.oid = polrelid
where relnamespace = 'audit'::regnamespace order by 1, 2
"""
_APPEND_LOCK = "pg_catalog.pg_advisory_xact_lock(bigint)"

EVENT_TRIGGERS = ("audit_refuse_ddl", "audit_refuse_drop")


class Step(NamedTuple):
    """What some statements are for, and the statements."""

    purpose: str
    sql: Sequence[str]


def plan(connection: Connection, names: RoleNames) -> list[Step]:
    """What gives the store behind a connection its roles; nothing is changed by asking."""
    connection.exec_driver_sql("set local search_path = pg_catalog")
    tables = [name for (name,) in _rows(connection, _TABLES)]
    functions = [name for (name,) in _rows(connection, _FUNCTIONS)]
    return [
        # Names are written the same by whoever has which search path.
        Step("begin", ["set local search_path = pg_catalog", *lift_event_guards()]),
        Step("the four roles", list(_roles(names))),
        Step("one owner", list(_ownership(names, tables, functions))),
        Step("grants", list(_grants(connection, names))),
        Step(
            "no row is changed or removed, not by the owner either",
            list(_row_security(connection, tables)),
        ),
        Step(
            "triggers fire in replica mode too",
            [
                f"alter table audit.{table} enable always trigger {trigger}"
                for table, trigger in _rows(connection, _TRIGGERS)
            ],
        ),
        Step("the append lock is the writer's", list(_lock(connection, names))),
        Step("no DDL touches the store", [_script("event_guards")]),
    ]


def lift_event_guards() -> list[str]:
    """Let DDL pass until the guards are made anew; whoever runs it must be a superuser.

    Nobody else ever sees the store without them when both stand in one transaction.
    """
    return [f"drop event trigger if exists {name}" for name in EVENT_TRIGGERS]


def _roles(names: RoleNames) -> Iterator[str]:
    for name in names:
        yield (
            f"do $$ begin if not exists (select from pg_roles where rolname = '{name}')"
            f" then create role {name} nologin; end if; end $$"
        )
        # Whether it logs in is the operator's choice, but for the owner.
        login = " nologin" if name == names.owner else ""
        bypass = "bypassrls" if name == names.writer else "nobypassrls"
        yield (
            f"alter role {name} nosuperuser nocreatedb nocreaterole noreplication {bypass}{login}"
        )


def _ownership(names: RoleNames, tables: Sequence[str], functions: Sequence[str]) -> Iterator[str]:
    yield f"alter schema audit owner to {names.owner}"
    for table in tables:
        yield f"alter table audit.{table} owner to {names.owner}"
    for function in functions:
        yield f"alter function {function} owner to {names.owner}"


def _grants(connection: Connection, names: RoleNames) -> Iterator[str]:
    # Whoever was granted anything loses it, the owner too: what it may do beyond is to grant it
    # to itself, which the event trigger refuses.
    earlier = {grantee for (grantee,) in _rows(connection, _GRANTEES)}
    everybody = ", ".join(["public", *sorted(earlier | set(names))])
    yield f"revoke all on all tables in schema audit from {everybody}"
    yield f"revoke all on all functions in schema audit from {everybody}"
    yield f"revoke all on schema audit from {everybody}"
    yield f"grant usage on schema audit to {', '.join(names[1:])}"
    yield f"grant select on all tables in schema audit to {', '.join(names[1:])}"
    appended = ", ".join(f"audit.{table}" for table in APPENDED)
    yield f"grant insert on {appended} to {names.writer}"
    signed = ", ".join(f"audit.{table}" for table in SIGNED)
    yield f"grant insert on {signed} to {names.signer}"


def _row_security(connection: Connection, tables: Sequence[str]) -> Iterator[str]:
    for policy, table in _rows(connection, _POLICIES):
        yield f"drop policy {policy} on audit.{table}"
    for table in tables:
        yield f"alter table audit.{table} enable row level security, force row level security"
        yield f"create policy read on audit.{table} for select using (true)"
        yield f"create policy append on audit.{table} for insert with check (true)"


def _lock(connection: Connection, names: RoleNames) -> Iterator[str]:
    functions = ", ".join(name for (name,) in _rows(connection, _ADVISORY))
    yield f"revoke execute on function {functions} from public"
    yield f"grant execute on function {_APPEND_LOCK} to {names.writer}"


def _script(name: str) -> str:
    script = files("cryotrail_audit.roles") / "sql" / f"{name}.postgresql.sql"
    return script.read_text(encoding="utf-8").strip().removesuffix(";")


def _rows(connection: Connection, sql: str) -> Sequence[Any]:
    options = {"no_parameters": True}
    return connection.exec_driver_sql(sql, execution_options=options).all()
