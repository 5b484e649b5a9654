"""PostgreSQL: who is refused what, as the table in the roles' README has it.

Every attempt is made on a real store by a real user of each role, in a transaction that is rolled
back. The table is the expectation: it cannot say what is not so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from audit_records import record
from guarded_store import guarded_store

import cryotrail_audit.roles
from cryotrail_audit.framing import leaf_hash, pack_head, pack_tail
from cryotrail_audit.records import EVENT, Entry
from cryotrail_audit.roles.plan import EVENT_TRIGGERS
from cryotrail_audit.verification import verify

README = Path(cryotrail_audit.roles.__file__).parent / "README.md"
ROLES = ("writer", "signer", "reader", "owner", "superuser", "superuser, event triggers off")

REFUSALS = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.RestrictViolation,
    psycopg.errors.CheckViolation,
)


def row(seq: int, *, forged: bool = False) -> Entry:
    """A row with its right leaf; forged, with one that is another row's."""
    item = record(500 + seq)
    leaf = leaf_hash(pack_head(1, EVENT, 500, seq, 1), pack_tail(item))
    return Entry(1, 1, EVENT, 500, seq, 1, *item, leaf[::-1] if forged else leaf)


def insert(entry: Entry) -> tuple[str, list[object]]:
    """The statement that writes it."""
    values = [
        UUID(bytes=value) if name in ("event_id", "procedure_id") else value
        for name, value in entry._asdict().items()
    ]
    return f"insert into audit.entry values ({', '.join(['%s'] * len(values))})", values


def copy_forged(connection: psycopg.Connection, next_seq: int) -> int:
    """The forged row as the store sends its own."""
    head, tail = pack_head(1, EVENT, 500, next_seq, 1), pack_tail(record(500 + next_seq))
    with connection.cursor().copy("copy audit.entry from stdin (format binary)") as copy:
        copy.write(
            b"PGCOPY\n\xff\r\n\x00" + bytes(8) + len(Entry._fields).to_bytes(2, "big")
            + head + tail + (32).to_bytes(4, "big") + bytes(32) + b"\xff\xff"
        )  # fmt: skip
    return 1


Attempt = str | Callable[[psycopg.Connection, int], int]

NEW_ENTRY = "insert into audit.entry select * from audit.entry where seq = 3"

# What is attempted, by its name in the table; several statements are one attempt, a line each.
ATTEMPTS: dict[str, Attempt] = {
    "UPDATE": "update audit.entry set reason = 'x' where seq = 3",
    "DELETE": "delete from audit.entry where seq = 3",
    "INSERT … ON CONFLICT DO UPDATE": (
        f"{NEW_ENTRY} on conflict (log_id, seq) do update set reason = 'x'"
    ),
    "MERGE": (
        "merge into audit.entry old using (select 3 as seq) new on old.seq = new.seq"
        " when matched then update set reason = 'x'"
    ),
    "TRUNCATE": "truncate audit.entry",
    "INSERT of a row with a wrong leaf hash": lambda connection, seq: (
        connection.execute(*insert(row(seq, forged=True))).rowcount
    ),
    "COPY of a row with a wrong leaf hash": copy_forged,
    "INSERT of a row that leaves a gap": lambda connection, seq: (
        connection.execute(*insert(row(seq + 1))).rowcount
    ),
    "INSERT of a log": "insert into audit.log values (2, 'other.example', 'tests.example/store', 0)",
    "INSERT of a checkpoint": (
        "insert into audit.checkpoint values (1, 0, 'x', 0, sha256(''), 'x', 0)"
    ),
    "INSERT of a well-formed next row": lambda connection, seq: (
        connection.execute(*insert(row(seq))).rowcount
    ),
    "DROP TABLE": "drop table audit.entry",
    "DROP SCHEMA": "drop schema audit cascade",
    "DROP TRIGGER": "drop trigger entry_row on audit.entry",
    "DROP the leaf's CHECK": "alter table audit.entry drop constraint entry_leaf_hash",
    "DROP of the guards' own schema": "drop schema audit_guard cascade",
    "DISABLE TRIGGER, then DELETE": (
        "alter table audit.entry disable trigger user\ndelete from audit.entry where seq = 3"
    ),
    "Replica mode, then DELETE": (
        "set session_replication_role = replica\ndelete from audit.entry where seq = 3"
    ),
    "No row-level security, then DELETE": (
        "alter table audit.entry disable row level security\ndelete from audit.entry where seq = 3"
    ),
    "CREATE POLICY, then DELETE": (
        "create policy mine on audit.entry for delete using (true)\n"
        "delete from audit.entry where seq = 3"
    ),
    "GRANT to oneself, then DELETE": (
        "grant delete on audit.entry to current_user\ndelete from audit.entry where seq = 3"
    ),
    "RENAME of a table": "alter table audit.entry rename to entry_before",
    "RENAME of the schema": "alter schema audit rename to audit_before",
    "SET SCHEMA of a table": "create schema mine\nalter table audit.entry set schema mine",
    "Another owner": "alter table audit.entry owner to current_user",
    # REASSIGN OWNED fires no event trigger; what it is for does.
    "REASSIGN OWNED, then DISABLE TRIGGER": (
        "reassign owned by {owner} to current_user\nalter table audit.entry disable trigger user"
    ),
    "Another body of the trigger's function": (
        "create or replace function audit.refuse_change() returns trigger language plpgsql"
        " as 'begin return old; end'\ndelete from audit.entry where seq = 3"
    ),
    "CREATE RULE … DO INSTEAD NOTHING": (
        "create rule eaten as on insert to audit.entry do instead nothing"
    ),
    "CREATE TRIGGER of one's own": (
        "create trigger mine before insert on audit.entry"
        " for each row execute function suppress_redundant_updates_trigger()"
    ),
    "CREATE INDEX that calls a function": "create index mine on audit.entry (lower(reason))",
    "A child table, whose rows read as the parent's": (
        "create schema mine\ncreate table mine.child () inherits (audit.entry)"
    ),
    "LOCK TABLE": "lock table audit.entry in access exclusive mode",
    "Taking the append lock": "select pg_advisory_xact_lock(7236825374316)",
    "Trying for the append lock, shared": "select pg_try_advisory_lock_shared(7236825374316)",
    "Ending the writer's session": "select pg_terminate_backend({writer_pid})",
    "Switching the event triggers off": "alter event trigger audit_refuse_ddl disable",
    "Becoming the owner": "set role {owner}",
}


def documented() -> dict[str, dict[str, str]]:
    """The table of the README: outcome by attempt and role."""
    lines = re.findall(r"^\|(.+)\|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    start = rows.index(["attempt", *ROLES])
    table = {}
    for name, *outcomes in rows[start + 2 :]:
        if len(outcomes) != len(ROLES):
            break
        table[name] = dict(zip(ROLES, outcomes, strict=True))
    return table


DOCUMENTED = documented()


@pytest.fixture(scope="module")
def store(postgres_server, _new_postgres_database):
    name = _new_postgres_database(True)
    guarded = guarded_store(postgres_server.url(name))
    with guarded.connection("superuser") as connection:
        # As much as an owner may have beside the store: room for schemas of its own.
        connection.execute(f"grant create on database {name} to {guarded.names.owner}".encode())
    yield guarded
    found = verify(guarded.url)
    assert (found.result, found.size) == ("intact", 17)


@pytest.fixture(scope="module")
def connections(store):
    """One connection of each role; the guards are on."""
    with ExitStack() as stack:
        opened = {
            role: stack.enter_context(store.connection(role.partition(",")[0])) for role in ROLES
        }
        for name in EVENT_TRIGGERS:
            assert opened["superuser"].execute(
                "select evtenabled = 'A' from pg_event_trigger where evtname = %s", [name]
            ).fetchone() == (True,)
        yield opened


def outcome(store, connection, attempt, *, event_triggers_off):
    """What becomes of an attempt: ``refused``, ``0 rows`` or ``done``."""
    with store.connection("writer") as writer:
        words = {"writer_pid": writer.info.backend_pid, "owner": store.names.owner}
        try:
            with connection.transaction(force_rollback=True):
                if event_triggers_off:
                    for name in EVENT_TRIGGERS:
                        connection.execute(f"alter event trigger {name} disable".encode())
                if not isinstance(attempt, str):
                    rows = attempt(connection, 17)
                else:
                    for statement in attempt.format(**words).splitlines():
                        rows = connection.execute(statement.encode()).rowcount
        except REFUSALS:
            return "refused"
        return "0 rows" if rows == 0 else "done"


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_each_attempt_ends_as_the_table_has_it(store, connections, attempt):
    found = {
        role: outcome(
            store, connection, ATTEMPTS[attempt], event_triggers_off=role.endswith(" off")
        )
        for role, connection in connections.items()
    }

    assert found == DOCUMENTED[attempt]


def test_the_table_has_every_attempt_and_no_other():
    assert list(DOCUMENTED) == list(ATTEMPTS)


def test_the_writer_is_refused_whatever_is_not_appending():
    allowed = {name for name, row in DOCUMENTED.items() if row["writer"] != "refused"}

    assert allowed == {"INSERT of a well-formed next row", "Taking the append lock"}
    assert len(DOCUMENTED) - len(allowed) >= 15
