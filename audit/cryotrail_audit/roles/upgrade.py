"""How an upgrade of the tables passes the guards that no DDL passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, text

from cryotrail_audit.errors import AuditError
from cryotrail_audit.roles.names import RoleNames
from cryotrail_audit.roles.plan import Step, lift_event_guards, plan

_GUARDED_BY: Final = """
select nspowner::regrole::text from pg_namespace
where nspname = 'audit' and to_regnamespace('audit_guard') is not null
"""
_SUPERUSER: Final = "select rolsuper from pg_roles where rolname = current_user"


@contextmanager
def upgrading(connection: Connection) -> Iterator[None]:
    """Let the tables of a guarded store be upgraded inside the block.

    The event guards are dropped and, with the roles' grants on what is new, made again in the
    caller's transaction: other sessions never see the store without them.

    :raises AuditError: the store is guarded and the user is no superuser.
    """
    guarded_by = None
    if connection.dialect.name == "postgresql":
        guarded_by = connection.execute(text(_GUARDED_BY)).scalar()
    if guarded_by is None:
        yield
        return
    need_superuser(connection, "to upgrade a store that has its roles")
    names = RoleNames.of_owner(guarded_by)
    if names is None:
        raise AuditError(
            f"schema audit belongs to {guarded_by}, which is no role of a store",
            hint="give it its roles again: cryotrail audit init --roles",
        )
    for statement in lift_event_guards():
        connection.exec_driver_sql(statement)
    yield
    run(connection, plan(connection, names))


def need_superuser(connection: Connection, purpose: str) -> None:
    """Refuse any other user.

    :raises AuditError: the user is none.
    """
    if not connection.execute(text(_SUPERUSER)).scalar():
        raise AuditError(
            f"it takes a superuser {purpose}",
            hint="run cryotrail audit init with CRYOTRAIL_AUDIT_URL set to a superuser's, once",
        )


def run(connection: Connection, steps: Sequence[Step]) -> None:
    """Run a plan in the transaction that is open."""
    options: dict[str, Any] = {"no_parameters": True}
    for _purpose, statements in steps:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options=options)
