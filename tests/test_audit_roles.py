"""PostgreSQL: each role does its work and no more, and a superuser gives the store its roles.

Real users of a real server become the roles when they connect.
"""

from __future__ import annotations

import json
from contextlib import closing
from uuid import UUID

import pytest
from audit_records import NOBODYS_HASH, Writer, batch, record
from guarded_store import guarded_store
from sqlalchemy import make_url
from store_tables import TABLES

from cryotrail.main import main
from cryotrail_audit import databases
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.head import ProcedureHead
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.databases import engine_of, parse_url
from cryotrail_audit.errors import AuditError, StoreBusy, StoreNotReady, StoreUnsafe
from cryotrail_audit.records import QUARANTINED, Administrative, IncomingBatch
from cryotrail_audit.roles.applied import apply_roles, planned_roles
from cryotrail_audit.roles.names import APPENDED, SIGNED, RoleNames
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog


@pytest.fixture
def store(postgres_url):
    return guarded_store(postgres_url)


def test_the_writer_does_all_that_a_recorder_does(store):
    url = store.url_of("writer")
    assert migrate(url) == "tests.example/store"  # what the recorder does when it starts
    with closing(open_store(url)) as opened:
        writer = Writer(opened, owner="recorder-2")
        schema = catalog().current("FreezeStarted")
        opened.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
        assert opened.register_topic("cluster", UUID(int=9), "another") == 2

        events = writer.append(record(offset) for offset in range(15, 615))
        again = writer.append([record(0)._replace(kafka_offset=615)])
        conflict = writer.append([record(0, raw=b"\xc3\x01" + bytes(8) + b"other")._replace(
            kafka_offset=616)])  # fmt: skip
        unread = writer.append([record(617)], kind=QUARANTINED)
        said = IncomingBatch((), (), [Administrative("hold", {"set": True})], "")
        opened.append(said)

        assert (events.recorded, again.redelivered) == (600, 1)
        assert (conflict.conflicts, unread.quarantined) == (1, 1)
        position = opened.position("cryotrail.procedure-events", 0)
        assert (position.next_offset, position.last_record_hash) == (618, NOBODYS_HASH)
        assert sum(map(len, opened.entries())) == opened.head().tree_size
    with store.connection("writer") as connection:
        assert connection.execute("select count(*) from audit.tile").fetchone() == (2,)
    assert verify(url).result == "intact"


def test_the_reader_reads_verifies_and_appends_nothing(store):
    url = store.url_of("reader")

    assert verify(url).result == "intact"
    with closing(open_store(url)) as opened:
        assert opened.entry_of(UUID(bytes=record(3).event_id)).kafka_offset == 3
        assert opened.counts().events == 15
        with pytest.raises(AuditError, match="denies it") as refused:
            opened.append(batch([record(99)], 1))

    assert "the writer needs INSERT and SELECT" in refused.value.hint


def test_the_signer_appends_checkpoints_and_heads_and_no_entry(store):
    origin = "tests.example/store"
    said = (
        Checkpoint(origin, 16, NOBODYS_HASH),
        ProcedureHead(origin, UUID(int=1), 5, 16, NOBODYS_HASH, 1_790_000_000),
    )
    with closing(SignedNotes.open(store.url_of("signer"))) as notes:
        key = LogKey.create(origin)
        notes.add([key.sign(item.to_text(), 1_790_000_000) for item in said], 1)
        assert notes.latest_checkpoint(origin).tree_size == 16
        assert notes.heads_of(UUID(int=1))[0].entry_count == 5
    with (
        closing(open_store(store.url_of("signer"))) as opened,
        pytest.raises(AuditError, match="denies it"),
    ):
        opened.claim("signer", 1, [0])


def test_a_mere_member_of_the_writer_is_told_how_to_become_it(store):
    with store.connection("superuser") as connection:
        member = f"{store.names.writer}_member"
        connection.execute(f"create role {member} login in role {store.names.writer}".encode())
    url = make_url(store.url).set(username=member).render_as_string()

    with closing(open_store(url)) as opened, pytest.raises(AuditError) as refused:
        Writer(opened).append([record(99)])

    assert "row-level security" in str(refused.value)
    assert "set role" in refused.value.hint


def test_a_role_that_logs_in_itself_does_the_same(store):
    with store.connection("superuser") as connection:
        connection.execute(f"alter role {store.names.writer} login".encode())
    url = make_url(store.url).set(username=store.names.writer).render_as_string()

    with closing(open_store(url)) as opened:
        assert Writer(opened).append([record(99)]).recorded == 1


def test_applying_again_changes_nothing_and_keeps_what_an_operator_set(store):
    with store.connection("superuser") as connection:
        connection.execute(f"alter role {store.names.writer} login".encode())
        connection.execute(f"alter role {store.names.owner} login".encode())
    first = apply_roles(store.url, f"audit_{make_url(store.url).database}")
    again = apply_roles(store.url, f"audit_{make_url(store.url).database}")

    assert first == again
    roles = {role.name: role for role in again.roles}
    assert not any(role.created for role in again.roles)
    assert roles[store.names.writer].can_login
    assert not roles[store.names.owner].can_login
    assert [name for name, role in roles.items() if role.bypasses_row_security] == [
        store.names.writer
    ]
    assert roles[store.names.reader].members == [store.user_of("reader")]


def test_what_others_were_granted_before_is_taken_from_them(postgres_url):
    name = make_url(postgres_url).database
    engine = engine_of(parse_url(postgres_url))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create role app_{name}; grant all on all tables in schema"
                                   f" audit to app_{name}, public")  # fmt: skip
    engine.dispose()

    grants = apply_roles(postgres_url, f"audit_{name}").grants

    assert {grant.role for grant in grants} == set(RoleNames.of(f"audit_{name}")[1:])
    assert {tuple(grant.privileges) for grant in grants} == {("SELECT",), ("INSERT", "SELECT")}


def test_the_printed_plan_is_what_is_run(postgres_server, _new_postgres_database):
    printed, applied = (postgres_server.url(_new_postgres_database(True)) for _ in range(2))
    apply_roles(applied, "audit_plan")
    with postgres_server.connect(make_url(printed).database) as connection:
        connection.execute(planned_roles(printed, "audit_plan").encode())

    standing = []
    for url in (printed, applied):
        with postgres_server.connect(make_url(url).database) as connection:
            standing.append(connection.execute(
                "select (select array_agg(what order by what) from audit_guard.recorded),"
                " (select array_agg(row(evtname, evtevent, evtenabled) order by 1)"
                "  from pg_event_trigger)"
            ).fetchall())  # fmt: skip
    assert standing[0] == standing[1]
    assert len(standing[0][0][0]) > 40


def test_printing_the_plan_changes_nothing(postgres_url):
    before = planned_roles(postgres_url, "audit_never")

    assert planned_roles(postgres_url, "audit_never") == before
    engine = engine_of(parse_url(postgres_url))
    with engine.connect() as connection:
        assert connection.exec_driver_sql(
            "select count(*) from pg_roles where rolname like 'audit_never%%'"
        ).scalar() == 0  # fmt: skip
    engine.dispose()


def test_every_table_has_one_role_that_appends_to_it_but_the_log():
    assert sorted((*APPENDED, *SIGNED, "log")) == sorted(TABLES)


@pytest.mark.parametrize("role", ["writer", "owner", "reader"])
def test_only_a_superuser_gives_the_store_its_roles(store, role):
    with pytest.raises(AuditError, match=r"it takes a superuser|denies it"):
        apply_roles(store.url_of(role), "audit_other")


def test_sqlite_has_no_roles(sqlite_url):
    with pytest.raises(AuditError, match="SQLite knows none"):
        apply_roles(sqlite_url)


@pytest.mark.parametrize("prefix", ["", "Audit", "pg_audit", "a-b", "a;b", "1a", "a" * 57, 'a"'])
def test_a_prefix_that_no_role_can_have_is_refused(postgres_url, prefix):
    with pytest.raises(AuditError, match="cannot begin the name of a role"):
        apply_roles(postgres_url, prefix)


def test_where_no_store_is_there_is_nothing_to_guard(empty_postgres_url):
    with pytest.raises(StoreNotReady):
        apply_roles(empty_postgres_url)


@pytest.mark.parametrize(
    "statement",
    [
        "alter role {user} set synchronous_commit = off",
        "alter role {user} in database {database} set synchronous_commit = off",
        "alter database {database} set synchronous_commit = off",
    ],
)
def test_a_setting_that_gives_durability_up_is_refused_wherever_it_stands(store, statement):
    names = {"user": store.user_of("writer"), "database": make_url(store.url).database}
    with store.connection("superuser") as connection:
        connection.execute(statement.format(**names).encode())

    with closing(open_store(store.url_of("writer"))) as opened, pytest.raises(StoreUnsafe):
        opened.claim("recorder", 1, [0])


def test_whoever_waits_for_the_append_lock_in_vain_is_told_who_has_it(store, monkeypatch):
    monkeypatch.setattr(databases, "LOCK_WAIT_S", "0.2")
    with store.connection("superuser") as holder, holder.transaction():
        holder.execute("set local application_name = 'a backup of somebody'")
        holder.execute(f"select pg_advisory_xact_lock({databases.APPEND_LOCK})".encode())

        with closing(open_store(store.url_of("writer"))) as opened:
            with pytest.raises(StoreBusy) as busy:
                opened.claim("recorder", 1, [0])

            said = str(busy.value)
            assert f"pid {holder.info.backend_pid} (a backup of somebody, user postgres)" in said
            holder.execute("rollback")
            assert opened.claim("recorder", 1, [0])


def test_the_command_says_what_it_did(postgres_url, monkeypatch, capsys):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", postgres_url)
    prefix = f"cmd_{make_url(postgres_url).database}"

    assert main(["audit", "init", "--roles", "--role-prefix", prefix, "--dry-run"]) == 0
    assert f"create role {prefix}_writer nologin" in capsys.readouterr().out

    assert main(["audit", "init", "--roles", "--role-prefix", prefix, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["origin"] == "tests.example/store"
    assert {role["name"]: role["created"] for role in said["roles"]} == dict.fromkeys(
        RoleNames.of(prefix), True
    )
    assert {"role": f"{prefix}_signer", "table": "checkpoint", "privileges": ["INSERT", "SELECT"]} \
        in said["grants"]  # fmt: skip

    assert main(["audit", "init", "--roles", "--role-prefix", prefix]) == 0
    printed = capsys.readouterr()
    assert "insert, select" in printed.out
    assert f"alter role recorder set role = '{prefix}_writer'" in printed.err

    with pytest.raises(SystemExit) as wrong:
        main(["audit", "init", "--dry-run"])
    assert wrong.value.code == 2
