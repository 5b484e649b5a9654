"""SQLite: what our own connections refuse, and what another program is refused, as documented.

The table in the roles' README is the expectation: it cannot say what is not so.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from audit_records import Writer, batch, filled_store, record
from sqlalchemy import make_url

import cryotrail_audit.roles
from cryotrail_audit.databases import engine_of, parse_url
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.roles.sqlite_authorizer import allow_only_appending
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify

README = Path(cryotrail_audit.roles.__file__).parent / "README.md"
HEADING = ["attempt on SQLite", "our own connections", "another program"]

# Several statements are one attempt, a line each.
ATTEMPTS = {
    "UPDATE": "update entry set reason = 'x' where seq = 3",
    "DELETE": "delete from entry where seq = 3",
    "INSERT OR REPLACE": "insert or replace into entry select * from entry where seq = 3",
    "INSERT … ON CONFLICT DO UPDATE": (
        "insert into entry select * from entry where seq = 3"
        " on conflict (log_id, seq) do update set reason = 'x'"
    ),
    "DROP TABLE": "drop table entry",
    "DROP TRIGGER": "drop trigger entry_update",
    "ALTER TABLE": "alter table entry rename to entry_before",
    "CREATE TRIGGER": (
        "create trigger mine before insert on entry begin select raise(ignore); end"
    ),
    "CREATE TEMP TABLE over a table's name": "create temp table entry as select * from main.entry",
    "CREATE VIEW": "create view mine as select * from entry",
    "ATTACH": "attach ':memory:' as other",
    "VACUUM": "vacuum",
    "ANALYZE, REINDEX": "reindex",
    "writable_schema, then UPDATE of the schema": (
        "pragma writable_schema = on\n"
        "update sqlite_master set sql = replace(sql, 'abort', 'ignore') where name = 'entry_update'"
    ),
    "ignore_check_constraints = on": "pragma ignore_check_constraints = on",
    "journal_mode = off": "pragma journal_mode = off",
    "synchronous = off": "pragma synchronous = off",
}


def documented() -> dict[str, list[str]]:
    """Outcomes by attempt: in our own connections, in another program."""
    lines = re.findall(r"^\|(.+)\|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    start = rows.index(HEADING)
    return {name: outcomes for name, *outcomes in rows[start + 2 :] if len(outcomes) == 2}


@pytest.fixture
def filled(sqlite_url):
    filled_store(sqlite_url)
    return sqlite_url


def outcome(connection, attempt):
    """``refused`` or ``done``."""
    try:
        for statement in attempt.splitlines():
            connection.execute(statement).fetchall()
    except sqlite3.DatabaseError as error:
        assert "append-only" in str(error) or error.sqlite_errorcode == sqlite3.SQLITE_AUTH, error
        return "refused"
    return "done"


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_each_attempt_ends_as_the_table_has_it(filled, attempt):
    engine = engine_of(parse_url(filled))
    with closing(engine.raw_connection()) as ours:
        found = [outcome(ours.driver_connection, ATTEMPTS[attempt])]
    engine.dispose()
    file = str(make_url(filled).database)
    with closing(sqlite3.connect(file, isolation_level=None)) as another:
        found.append(outcome(another, ATTEMPTS[attempt]))

    assert found == documented()[attempt]


def test_the_table_has_every_attempt_and_no_other():
    assert list(documented()) == list(ATTEMPTS)
    assert {ours for ours, _ in documented().values()} == {"refused"}


def test_what_a_store_does_is_allowed(filled):
    with closing(open_store(filled)) as store:
        writer = Writer(store, owner="recorder-2")
        writer.append([record(15)])
        again = store.append(
            batch([record(16)], writer.epoch, kind=QUARANTINED, owner="recorder-2")
        )

        assert again.quarantined == 1
        assert store.register_topic("cluster", UUID(int=7), "another") > 1
        assert store.position("cryotrail.procedure-events", 0).next_offset == 17
        assert sum(map(len, store.entries())) == store.head().tree_size
        assert store.counts().events == 16
    assert verify(filled).result == "intact"
    assert migrate(filled) == "tests.example/store"


def test_a_refusal_is_said_as_one_of_the_store(filled):
    with (
        closing(open_store(filled)) as store,
        pytest.raises(AuditError, match="append-only"),
        store._reading() as connection,
    ):
        connection.exec_driver_sql("delete from entry")


def test_a_prepared_statement_is_authorised_once(tmp_path):
    asked = []
    with closing(sqlite3.connect(tmp_path / "any", isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("create table entry (seq integer primary key)")
        allow_only_appending(connection)
        connection.set_authorizer(lambda *action: asked.append(action) or sqlite3.SQLITE_OK)

        connection.executemany("insert into entry values (?)", ((n,) for n in range(100)))
        once = len(asked)
        connection.executemany("insert into entry values (?)", ((n,) for n in range(100, 200)))

    assert 0 < once < 10
    assert len(asked) == once
