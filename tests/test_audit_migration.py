"""Creating a store: idempotent, whole or not at all, and exactly the tables that queries expect."""

import threading
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData
from store_tables import TABLES, tables_of

import cryotrail_audit.migrations
from cryotrail_audit import databases, migration
from cryotrail_audit.errors import AuditError, StoreNotReady, StoreUnavailable, StoreUnsafe
from cryotrail_audit.migration import HEAD_REVISION
from cryotrail_audit.records import Entry
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.tables import METADATA, SCHEMA
from cryotrail_audit.verification import verify


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path):
    """Where no store is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a folder' / 'audit.sqlite3'}"
    return request.getfixturevalue("empty_postgres_url")


def test_a_store_is_created_once_and_keeps_its_name(new_url):
    first = migrate(new_url, origin="hospital.example/cryoablation")
    again = migrate(new_url, origin="another.example")

    assert first == again == "hospital.example/cryoablation"
    with tables_of(new_url) as tables:
        assert tables.execute("select log_id, origin, continues from log") == [
            (1, "hospital.example/cryoablation", None)
        ]
        assert tables.execute("select version_num from alembic_version") == [(HEAD_REVISION,)]


def test_a_made_up_name_is_unique(tmp_path):
    names = {migrate(f"sqlite:///{tmp_path / str(n)}") for n in range(3)}

    assert len(names) == 3


def test_two_that_create_a_store_at_once_make_one(new_url):
    names = []
    threads = [threading.Thread(target=lambda: names.append(migrate(new_url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(names) == 3
    assert len(set(names)) == 1
    assert verify(new_url).result == "intact"


def test_the_tables_are_those_that_queries_expect(store_url):
    engine = databases.engine_of(databases.parse_url(store_url))
    metadata = METADATA
    if engine.dialect.name == "sqlite":
        metadata = MetaData()
        for table in METADATA.sorted_tables:
            table.to_metadata(metadata, schema=None)
    options = {
        "compare_type": True,
        "include_schemas": engine.dialect.name == "postgresql",
        "version_table_schema": SCHEMA if engine.dialect.name == "postgresql" else None,
    }
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            differences = compare_metadata(context, metadata)
    finally:
        engine.dispose()

    assert differences == []


def test_the_columns_of_the_entry_are_in_the_order_that_the_leaf_binds(store_url):
    with tables_of(store_url) as tables:
        assert tuple(tables.columns("entry")) == Entry._fields
        for table in TABLES:
            names = [column.name for column in METADATA.tables[f"audit.{table}"].columns]
            assert list(tables.columns(table)) == names


def test_the_head_is_the_newest_revision_in_the_package():
    config = Config()
    config.set_main_option("script_location", cryotrail_audit.migrations.__path__[0])

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_a_migration_that_fails_leaves_nothing(new_url, monkeypatch):
    def fail(_connection, _origin):
        raise AuditError("on the way")

    monkeypatch.setattr(migration, "_named", fail)
    with pytest.raises(AuditError, match="on the way"):
        migrate(new_url)
    monkeypatch.undo()

    with pytest.raises(StoreNotReady):
        open_store(new_url)
    assert migrate(new_url)


def test_a_store_of_another_revision_is_neither_opened_nor_touched(store_url):
    with tables_of(store_url) as tables:
        tables.execute("update alembic_version set version_num = '9999'")

    for use in (open_store, migrate, verify):
        with pytest.raises(StoreNotReady, match="revision 9999"):
            use(store_url)


def test_where_nothing_is_the_hint_says_how_to_create_it(new_url):
    for use in (open_store, verify):
        with pytest.raises(StoreNotReady) as refused:
            use(new_url)

        assert refused.value.hint == "create or upgrade it: cryotrail audit init"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/audit", "no url", ""]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(AuditError) as refused:
        open_store(url)

    assert "sqlite:///FILE" in refused.value.hint


def test_an_unreachable_server_is_said_without_the_password():
    with pytest.raises(StoreUnavailable) as refused:
        open_store("postgresql://writer:secret@127.0.0.1:1/audit")

    assert refused.value.retriable
    assert "127.0.0.1:1/audit" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path):
    (tmp_path / "audit.sqlite3").write_text("not a database, but long enough to look at" * 10)

    with pytest.raises(AuditError, match="is damaged"):
        open_store(f"sqlite:///{tmp_path / 'audit.sqlite3'}")


def test_a_database_that_is_not_in_utf_8_is_refused(postgres_server):
    with postgres_server.connect() as connection:
        connection.execute("create database latin template template0 encoding 'LATIN1' locale 'C'")

    with pytest.raises(StoreUnsafe, match="LATIN1"):
        migrate(postgres_server.url("latin"))


def test_the_old_postgresql_scheme_is_understood(postgres_url):
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://")

    with closing(open_store(plain)) as store:
        assert store.head().tree_size == 0


@pytest.mark.parametrize(
    "name", ["two words", "a+b", "x" * 250, "log/batches", "l/procedure-heads"]
)
def test_a_log_is_not_given_a_name_that_nothing_could_be_signed_under(new_url, name):
    with pytest.raises(AuditError, match="could never be signed"):
        migrate(new_url, origin=name)

    assert migrate(new_url, origin="hospital.example/log") == "hospital.example/log"
