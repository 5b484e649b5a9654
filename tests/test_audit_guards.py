"""Every table refuses change, on both databases and whoever asks; appending goes on."""

from contextlib import closing

import pytest
from audit_records import Writer, record
from every_table import fill_every_table
from store_tables import TABLES, tables_of

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify


@pytest.fixture
def guarded(store_url):
    """A store with at least one row in every table."""
    fill_every_table(store_url)
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


@pytest.mark.parametrize(
    "row",
    [
        "2, 'another.example', null, 0",
        "2, 'another.example', 'a.third.example', 0",
        "3, 'another.example', 'tests.example/store', 0",
        "0, 'another.example', 'tests.example/store', 0",
    ],
)
def test_a_log_that_does_not_continue_the_newest_is_refused(guarded, row):
    with (
        tables_of(guarded) as tables,
        pytest.raises(tables.refusals, match="a further log continues the newest one"),
    ):
        tables.execute(f"insert into log values ({row})")


def test_appending_goes_on_after_a_refusal(guarded):
    with tables_of(guarded) as tables, pytest.raises(tables.refusals):
        tables.execute("delete from entry")

    with closing(open_store(guarded)) as store:
        outcome = Writer(store).append([record(999)])

    assert outcome.recorded == 1
