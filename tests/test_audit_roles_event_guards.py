"""PostgreSQL: no DDL touches the store but an upgrade by a superuser; elsewhere it goes on."""

from __future__ import annotations

import psycopg
import pytest
from guarded_store import guarded_store
from sqlalchemy import make_url

from cryotrail_audit.databases import IMMEDIATE, engine_of, parse_url
from cryotrail_audit.errors import AuditError
from cryotrail_audit.roles.upgrade import upgrading
from cryotrail_audit.verification import verify

REFUSED = psycopg.errors.RestrictViolation


@pytest.fixture(scope="module")
def store(postgres_server, _new_postgres_database):
    return guarded_store(postgres_server.url(_new_postgres_database(True)))


def upgrade(url):
    """What a later revision would do: a table of its own, a function replaced."""
    engine = engine_of(parse_url(url))
    try:
        with engine.execution_options(**IMMEDIATE).begin() as connection, upgrading(connection):
            connection.exec_driver_sql("create table audit.later (a integer)")
    finally:
        engine.dispose()


def test_an_upgrade_passes_the_guards_and_leaves_them_on(store):
    upgrade(store.url)

    with store.connection("superuser") as connection:
        with pytest.raises(REFUSED, match="DROP TABLE refused"):
            connection.execute("drop table audit.later")
        assert connection.execute(
            "select relowner::regrole::text, relforcerowsecurity from pg_class"
            " where oid = 'audit.later'::regclass"
        ).fetchone() == (store.names.owner, True)
    with store.connection("reader") as connection:
        assert connection.execute("select * from audit.later").fetchall() == []


@pytest.mark.parametrize("role", ["writer", "owner"])
def test_an_upgrade_by_anybody_else_is_refused(store, role):
    with pytest.raises(AuditError, match="it takes a superuser to upgrade a store"):
        upgrade(store.url_of(role))


def test_an_upgrade_that_fails_leaves_the_guards_on(store):
    engine = engine_of(parse_url(store.url))
    with pytest.raises(ZeroDivisionError), engine.begin() as connection, upgrading(connection):
        raise ZeroDivisionError
    engine.dispose()

    with store.connection("superuser") as connection, pytest.raises(REFUSED):
        connection.execute("drop table audit.entry")


def test_a_restored_dump_has_its_guards_and_verifies(
    store, postgres_server, _new_postgres_database
):
    dump = postgres_server.client("pg_dump", str(make_url(store.url).database))
    restored = _new_postgres_database(False)
    postgres_server.client("psql", "-qX", "-v", "ON_ERROR_STOP=1", restored, given=dump)

    assert verify(postgres_server.url(restored)).result == "intact"
    with postgres_server.connect(restored) as connection:
        connection.execute("create table public.mine (a integer)")
        for statement in ("drop table audit.entry", "alter table audit.entry disable trigger all"):
            with pytest.raises(REFUSED):
                connection.execute(statement)


def test_ddl_elsewhere_in_the_database_goes_on(store):
    with store.connection("superuser") as connection:
        for statement in (
            "create table public.mine (a integer primary key)",
            "create rule mine as on delete to public.mine do instead nothing",
            "create view public.mine_too as select event_id from audit.entry",
            "create publication entries for table audit.entry",
            "drop publication entries",
            "drop table public.mine cascade",
            "reindex table audit.entry",
            "comment on table audit.entry is 'evidence'",
            "analyze audit.entry",
            "vacuum audit.entry",
        ):
            connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "drop owned by {writer}",
        "grant insert on audit.entry to {reader}",
        "grant update (reason) on audit.entry to {writer}",
        "revoke insert on audit.entry from {writer}",
        "create table audit.mine (a integer)",
        "alter function audit.refuse_change() set schema public",
        "drop function audit.refuse_change() cascade",
        "alter view audit_guard.standing rename to standing_before",
        "alter table audit_guard.recorded rename to recorded_before",
    ],
)
def test_what_a_command_does_not_report_is_refused_too(store, statement):
    with (
        store.connection("superuser") as connection,
        pytest.raises(REFUSED, match="the audit store is append-only"),
    ):
        connection.execute(statement.format(**store.names._asdict()).encode())
