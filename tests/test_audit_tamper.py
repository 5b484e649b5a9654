"""Whatever is changed past the guards is found, and the first broken entry is named.

The guards are off here, as for a superuser or for whoever can write the file. What verification
of the database alone cannot find is tested too: the folder's README says it.
"""

from contextlib import closing
from hashlib import sha256

import pytest
from audit_records import Writer, filled_store, record
from store_tables import tables_of
from tampering import edits, forge

from cryotrail_audit.appending.append import batch_hash
from cryotrail_audit.batch_chain import BatchRow
from cryotrail_audit.records import QUARANTINED, Entry
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.merkle import Frontier

# Entries: 0 the topic; 1-5, 6-10 and 11-15 batches of events; 16 an alarm; then one of each kind.
ROW = 8
BATCH = 2
BATCH_FIRST = 6


@pytest.fixture
def tampered(store_url):
    """Past the guards of a filled store: what is changed there, ``verify(store_url)`` sees."""
    filled_store(store_url)
    with closing(open_store(store_url)) as store:
        writer = Writer(store)
        writer.append([record(0)._replace(kafka_offset=15), record(16, reason="flag")])
        writer.append([record(17, reason="undecodable", raw=None)], kind=QUARANTINED)
        schema = catalog().current("FreezeStarted")
        store.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
    assert verify(store_url).result == "intact"
    with tables_of(store_url) as tables:
        tables.drop_guards()
        yield tables


def test_every_column_of_an_entry_is_bound_and_the_entry_named(store_url, tampered):
    count = 0
    for edit in edits(tampered, "entry", f"seq = {ROW}"):
        found = verify(store_url)

        assert (found.result, found.first_broken_seq) == ("broken", ROW), (edit, found)
        count += 1
    assert count >= 50
    assert verify(store_url).result == "intact"


def test_so_is_every_column_of_entries_of_other_kinds(store_url, tampered):
    for seq in (0, 16, 17, 18):
        for edit in edits(tampered, "entry", f"seq = {seq}"):
            found = verify(store_url)

            assert (found.result, found.first_broken_seq) == ("broken", seq), (edit, found)


def test_every_column_of_a_batch_row_is_bound(store_url, tampered):
    for edit in edits(tampered, "batch", f"batch_no = {BATCH}"):
        found = verify(store_url)

        assert (found.result, found.first_broken_seq) == ("broken", BATCH_FIRST), (edit, found)


def test_every_column_of_the_other_tables_is_bound(store_url, tampered):
    for table, where in (
        ("batch_partition", f"batch_no = {BATCH}"),
        ("redelivery", "kafka_offset = 15"),
        ("topic", "topic_id = 1"),
        ("schema", "event_type = 'FreezeStarted'"),
    ):
        for edit in edits(tampered, table, where):
            assert verify(store_url).result == "broken", edit
        assert verify(store_url).result == "intact"


def test_an_entry_that_is_gone_is_named(store_url, tampered):
    tampered.execute(f"delete from entry where seq = {ROW}")

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", ROW)
    assert "entry 8 is missing: 9 follows 7" in found.reason


def test_two_entries_that_change_places_are_named(store_url, tampered):
    for old, new in ((ROW, -1), (ROW + 1, ROW), (-1, ROW + 1)):
        tampered.execute(f"update entry set seq = {new} where seq = {old}")

    assert verify(store_url).first_broken_seq == ROW


def test_an_end_that_was_cut_off_within_a_batch_is_named(store_url, tampered):
    tampered.execute("delete from entry where seq >= 13")

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", 13)
    assert "missing" in found.reason


@pytest.mark.parametrize("kept", ["entries", "batch row"])
def test_a_batch_that_is_half_removed_is_found(store_url, tampered, kept):
    (last,), *_ = tampered.execute("select max(batch_no) from batch")
    (first,), *_ = tampered.execute(f"select first_seq from batch where batch_no = {last}")
    if kept == "entries":
        tampered.execute(f"delete from batch where batch_no = {last}")
    else:
        tampered.execute(f"delete from entry where seq >= {first}")

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", first)


def test_an_entry_behind_the_last_batch_is_found(store_url, tampered):
    (size,), *_ = tampered.execute("select max(seq) + 1 from entry")
    columns = tampered.columns("entry")
    fresh = {"seq": str(size), "kind": "3", "kafka_offset": "null", "topic_id": "null",
             "procedure_entry_no": "null"}  # fmt: skip
    values = ", ".join(fresh.get(name, name) for name in columns)
    tampered.execute(f"insert into entry select {values} from entry where seq = {ROW}")

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", size)


def test_an_edit_with_its_leaf_made_to_fit_is_found_by_the_root_of_its_batch(store_url, tampered):
    forge(tampered, ROW, occurred_us=0)

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", BATCH_FIRST)
    assert "entries 6 to 10 do not give the root of their batch 2" in found.reason


def test_an_entry_that_speaks_of_no_topic_any_more_is_named(store_url, tampered):
    for raw in (b"null", b"{}", b"[]", b"{", b"\xff", b'{"topic_id": []}'):
        forge(tampered, 0, raw=raw, content_hash=sha256(raw).digest())

        found = verify(store_url)

        assert (found.result, found.first_broken_seq) == ("broken", 0)
        assert "does not say which topic" in found.reason, raw


def test_a_second_log_is_found_even_when_it_continues_the_first(store_url, tampered):
    tampered.execute("insert into log values (2, 'another.example', 'tests.example/store', 0)")
    tampered.execute(f"update entry set occurred_us = 0 where seq = {ROW}")
    tampered.execute("delete from topic")
    tampered.execute("delete from schema")

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", None)
    assert found.reason == (
        "log another.example continues tests.example/store: its entry 0 does not say so"
    )


def test_a_log_that_is_gone_is_found(store_url, tampered):
    tampered.execute("delete from log")

    found = verify(store_url)

    assert found.reason == (
        "the store has 0 logs instead of one: its row is gone while entry has rows of it"
    )


def test_a_position_that_belongs_to_no_batch_is_found(store_url, tampered):
    tampered.execute("update batch_partition set batch_no = 99 where batch_no = 2")

    assert verify(store_url).result == "broken"


def test_rows_of_a_log_that_is_none_are_found(store_url, tampered):
    tampered.execute(
        "insert into claim select 9, topic_id, part, epoch, owner, claimed_us from claim"
    )

    assert "a log that the store does not have" in verify(store_url).reason


def test_a_row_of_no_log_at_all_is_found(sqlite_url):
    """Readers that look an entry up by its id would be given it."""
    filled_store(sqlite_url)
    columns = ", ".join(Entry._fields[1:])
    with tables_of(sqlite_url) as tables:
        tables.drop_guards()
        tables.execute("alter table entry rename to declared")
        tables.execute("create table entry as select * from declared")
        tables.execute("drop table declared")
        tables.execute(
            f"insert into entry (log_id, {columns}) select null, {columns} from entry where seq = 3"
        )

    assert (
        "a row of entry belongs to a log that the store does not have" in verify(sqlite_url).reason
    )


def test_a_rollback_to_an_older_batch_is_not_found_without_a_checkpoint_from_outside(
    store_url, tampered
):
    """The honest limit: what is left agrees with itself. Only its size tells, to who kept it."""
    before = verify(store_url)
    (first,), *_ = tampered.execute(f"select first_seq from batch where batch_no = {BATCH}")
    tampered.execute(f"delete from entry where seq >= {first}")
    for table in ("batch", "batch_partition", "redelivery"):
        tampered.execute(f"delete from {table} where batch_no >= {BATCH}")
    tampered.execute("delete from schema")

    after = verify(store_url)

    assert after.result == "intact"
    assert after.size < before.size


def test_a_store_rebuilt_from_scratch_is_not_found_without_a_checkpoint_from_outside(
    store_url, tampered
):
    """The honest limit again: the last entry is forged, its leaf, root and chain recomputed."""
    before = verify(store_url)
    columns = ", ".join(BatchRow._fields)
    batches = [
        BatchRow(*row) for row in tampered.execute(f"select {columns} from batch order by batch_no")
    ]
    last = batches[-1]
    assert (last.tree_size - last.first_seq, before.size) == (1, last.tree_size)
    tampered.execute(f"delete from entry where seq = {last.first_seq}")
    tampered.execute("delete from schema")
    frontier = Frontier.from_bytes(batches[-2].tree_size, batches[-2].frontier)
    forged = last._replace(
        tree_size=last.first_seq, root=frontier.root(), frontier=frontier.to_bytes()
    )
    tampered.execute(
        "update batch set tree_size = %s, root = %s, frontier = %s, batch_hash = %s"
        f" where batch_no = {last.batch_no}",
        [forged.tree_size, forged.root, forged.frontier, batch_hash(forged, [], [])],
    )

    after = verify(store_url)

    assert after.result == "intact"
    assert after.root != before.root
