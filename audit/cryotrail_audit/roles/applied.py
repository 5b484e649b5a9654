"""Gives a store on PostgreSQL its roles, and says what they may do then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, text

from cryotrail_audit.appending.lock import take_append_lock
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.errors import AuditError
from cryotrail_audit.migration import check_revision
from cryotrail_audit.roles.names import DEFAULT_PREFIX, RoleNames
from cryotrail_audit.roles.plan import EVENT_TRIGGERS, plan
from cryotrail_audit.roles.upgrade import need_superuser, run

_ROLES = """
select rolname, rolcanlogin, rolbypassrls, array(
  select member::regrole::text from pg_auth_members where roleid = pg_roles.oid order by 1)
from pg_roles where rolname = any(:names) order by rolname
"""
_GRANTS = """
select grantee::regrole::text, relname, array_agg(privilege_type order by privilege_type)
from pg_class, aclexplode(relacl)
where relnamespace = 'audit'::regnamespace and relkind = 'r' group by 1, 2 order by 1, 2
"""


class Role(NamedTuple):
    """A role as it stands on the server."""

    name: str
    created: bool
    """It was not there before."""
    can_login: bool
    bypasses_row_security: bool
    members: list[str]
    """Who may become it, beside superusers."""


class Grant(NamedTuple):
    """What a role may do to a table."""

    role: str
    table: str
    privileges: list[str]


class Applied(NamedTuple):
    """What stands after the roles were applied."""

    names: RoleNames
    roles: list[Role]
    grants: list[Grant]
    event_triggers: tuple[str, ...]


def apply_roles(url: str, prefix: str = DEFAULT_PREFIX) -> Applied:
    """Give the store at a URL its roles and take from everybody else what they may; idempotent.

    One transaction, which waits for a running append. A role that exists keeps its password, its
    members and whether it logs in; the owner never logs in. No password is made.

    :param url: of a superuser: only one can make event triggers, a role that bypasses row-level
        security, and take the functions of advisory locks from PUBLIC.
    :raises AuditError: not PostgreSQL, not a superuser, or a prefix that no role can have.
    :raises StoreNotReady: there is no store, or it is of another revision.
    """
    names = RoleNames.of(prefix)
    with _connected(url) as connection:
        need_superuser(connection, "to give the store its roles")
        take_append_lock(cast(Any, connection.connection.driver_connection))
        before = {role for role, *_ in connection.execute(text(_ROLES), {"names": list(names)})}
        run(connection, plan(connection, names))
        return Applied(
            names,
            [
                Role(name, name not in before, *rest)
                for name, *rest in connection.execute(text(_ROLES), {"names": list(names)})
            ],
            [Grant(*row) for row in connection.execute(text(_GRANTS))],
            EVENT_TRIGGERS,
        )


def planned_roles(url: str, prefix: str = DEFAULT_PREFIX) -> str:
    """The SQL that :func:`apply_roles` would run, to be read; nothing is changed.

    :raises AuditError, StoreNotReady: as :func:`apply_roles`; anybody may ask.
    """
    names = RoleNames.of(prefix)
    with _connected(url) as connection:
        steps = plan(connection, names)
    blocks = (
        f"-- {purpose}\n" + "".join(f"{statement};\n" for statement in sql)
        for purpose, sql in steps
    )
    return "begin;\n" + "\n".join(blocks) + "commit;\n"


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    parsed = parse_url(url)
    where = name_of(parsed)
    if parsed.get_backend_name() != "postgresql":
        raise AuditError(
            f"{where} has no roles: SQLite knows none",
            hint="let the file and its folder be writable by the recorder's user alone",
        )
    engine = engine_of(parsed)
    try:
        with database_errors(where), engine.begin() as connection:
            check_revision(connection, where)
            yield connection
    finally:
        engine.dispose()
