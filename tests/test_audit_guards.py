"""Every table refuses change, on both databases and whoever asks; appending goes on."""

from contextlib import closing

import pytest
from audit_records import Writer, filled_store, record
from store_tables import TABLES, tables_of

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog


@pytest.fixture
def guarded(store_url):
    """A store with at least one row in every table."""
    filled_store(store_url)
    with closing(open_store(store_url)) as store:
        Writer(store).append([record(0)._replace(kafka_offset=15)])
        schema = catalog().current("FreezeStarted")
        store.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
    yield store_url
    assert verify(store_url).result == "intact"


def test_update_and_delete_are_refused_on_every_table(guarded):
    with tables_of(guarded) as tables:
        for table in TABLES:
            column = next(iter(tables.columns(table)))
            before = tables.execute(f"select count(*) from {table}")

            for statement in (
                f"update {table} set {column} = {column}",
                f"delete from {table}",
            ):
                with pytest.raises(tables.refusals, match=f"{table} is append-only"):
                    tables.execute(statement)

            assert tables.execute(f"select count(*) from {table}") == before
            assert before[0][0] > 0


def test_a_second_log_is_refused(guarded):
    with (
        tables_of(guarded) as tables,
        pytest.raises(tables.refusals, match="log is append-only: a further log continues the newest one"),
    ):
        tables.execute("insert into log values (2, 'another.example', null, 0)")


def test_appending_goes_on_after_a_refusal(guarded):
    with tables_of(guarded) as tables, pytest.raises(tables.refusals):
        tables.execute("delete from entry")

    with closing(open_store(guarded)) as store:
        outcome = Writer(store).append([record(16)])

    assert outcome.recorded == 1
