"""PostgreSQL: no statement changes a row, not as superuser and not in replica mode.

And no row gets in whose leaf hash is not that of its columns, or that leaves a gap.
"""

from contextlib import closing
from uuid import UUID

import psycopg
import pytest
from every_table import fill_every_table
from store_tables import TABLES, tables_of

from cryotrail_audit.errors import StoreUnsafe
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

REFUSED = psycopg.errors.RestrictViolation


@pytest.fixture
def tables(postgres_url):
    fill_every_table(postgres_url)
    with tables_of(postgres_url) as connected:
        yield connected
    assert verify(postgres_url).result == "intact"


def changes(tables, table):
    """Every kind of statement that changes or removes rows."""
    column = next(iter(tables.columns(table)))
    yield f"update {table} set {column} = {column}"
    yield f"update {table} set {column} = {column} where false"
    yield f"delete from {table}"
    yield f"delete from {table} where false"
    yield f"truncate {table}"
    yield f"truncate {table} cascade"
    yield (
        f"merge into {table} old using (select 1) new on true"
        f" when matched then update set {column} = old.{column}"
    )
    yield f"merge into {table} old using (select 1) new on true when matched then delete"
    yield f"with gone as (delete from {table} returning *) select * from gone"


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_every_statement_that_changes_rows_is_refused_on_every_table(tables, role):
    tables.execute(f"set session_replication_role = {role}")
    for table in TABLES:
        before = tables.execute(f"select * from {table}")

        for statement in changes(tables, table):
            with pytest.raises(REFUSED, match=f"audit.{table} is append-only"):
                tables.execute(statement)

        assert tables.execute(f"select * from {table}") == before


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("log", "(log_id)"),
        ("topic", "(topic_id)"),
        ("entry", "(log_id, seq)"),
        ("entry", "(event_id) where kind = 0"),
        ("batch", "(log_id, batch_no)"),
        ("claim", "(log_id, topic_id, part, epoch)"),
        ("tile", "(log_id, level, tile_no)"),
        ("checkpoint", "(log_id, checkpoint_no)"),
        ("procedure_head", "(log_id, procedure_id, tree_size, signed_us)"),
    ],
)
def test_an_upsert_is_refused(tables, table, key):
    column = next(iter(tables.columns(table)))

    with pytest.raises(REFUSED, match="UPDATE refused"):
        tables.execute(
            f"insert into {table} select * from {table} limit 1"
            f" on conflict {key} do update set {column} = excluded.{column}"
        )


def other_value(name, kind):
    """An expression for another value of a column than it has."""
    return {
        "smallint": f"coalesce({name}, 0) + 1",
        "integer": f"coalesce({name}, 0) + 1",
        "bigint": f"coalesce({name}, 0) + 1",
        "text": f"coalesce({name}, '') || 'x'",
        "uuid": "gen_random_uuid()",
        "bytea": f"sha256(coalesce({name}, ''))",
    }[kind.rstrip("?")]


def test_a_row_with_any_column_altered_under_its_leaf_is_refused(tables):
    columns = tables.columns("entry")
    fresh = {"seq": "seq + 100", "event_id": "gen_random_uuid()", "kafka_offset": "9999",
             "procedure_entry_no": "9999"}  # fmt: skip
    for name, kind in columns.items():
        for value in (other_value(name, kind), "null"):
            altered = fresh | {name: value}
            values = ", ".join(altered.get(column, column) for column in columns)

            with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.NotNullViolation)):
                tables.execute(f"insert into entry select {values} from entry where seq = 3")


def test_the_leaf_check_rebuilds_the_framing_in_sql_whatever_the_client_encoding(tables):
    """The rows were packed in Python; one more, sent as text by a Latin-1 client, is checked."""
    columns = list(tables.columns("entry"))
    tables.execute("set client_encoding = 'LATIN1'")

    with pytest.raises(psycopg.errors.UniqueViolation):  # the leaf itself is accepted
        tables.execute(f"insert into entry select {', '.join(columns)} from entry where seq = 3")


def test_a_row_that_leaves_a_gap_is_refused_even_with_its_right_leaf(tables):
    columns = tables.columns("entry")
    tables.execute("alter table entry drop constraint entry_leaf_hash")
    fresh = {"seq": "(select max(seq) + 2 from entry)", "event_id": "gen_random_uuid()",
             "kafka_offset": "9999", "procedure_entry_no": "9999"}  # fmt: skip
    values = ", ".join(fresh.get(column, column) for column in columns)

    with pytest.raises(REFUSED, match="do not follow"):
        tables.execute(f"insert into entry select {values} from entry where seq = 3")


def test_the_store_refuses_a_server_that_gives_durability_up(postgres_url):
    with tables_of(postgres_url) as tables:
        (name,) = tables.execute("select current_database()")[0]
        tables.execute(f"alter database {name} set synchronous_commit = off")

    with closing(open_store(postgres_url)) as store, pytest.raises(StoreUnsafe):
        store.register_topic("cluster", UUID(int=1), "topic")
