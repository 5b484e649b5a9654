"""SQLite: INSERT OR REPLACE takes no row's place, by no unique key and not by the rowid.

REPLACE deletes the row in its way without firing a DELETE trigger.
"""

import sqlite3

import pytest
from every_table import fill_every_table
from store_tables import TABLES, tables_of

from cryotrail_audit.store import migrate
from cryotrail_audit.verification import verify

# Every unique key of every table.  The integer keys of log and topic are their rowids.
KEYS = {
    "log": ["log_id", "origin"],
    "topic": ["topic_id", "cluster_id, topic_uuid"],
    "entry": [
        "log_id, seq",
        "event_id",
        "procedure_id, procedure_entry_no",
        "topic_id, part, incarnation, kafka_offset",
        "rowid",
    ],
    "batch": ["log_id, batch_no", "rowid"],
    "batch_partition": ["log_id, batch_no, topic_id, part, incarnation", "rowid"],
    "claim": ["log_id, topic_id, part, epoch", "rowid"],
    "redelivery": ["topic_id, part, incarnation, kafka_offset", "rowid"],
    "schema": ["sha256", "rowid"],
    "tile": ["log_id, level, tile_no", "rowid"],
    "checkpoint": ["log_id, checkpoint_no", "rowid"],
    "procedure_head": ["log_id, procedure_id, tree_size, signed_us", "rowid"],
}

# Other values for what is not the key under attack, so that no other key stands in the way.
FRESH = {
    "log": {"log_id": "2", "origin": "'x'", "continues": "origin"},
    "topic": {"topic_id": "9", "cluster_id": "'x'"},
    "entry": {
        "seq": "(select max(seq) + 1 from entry)",
        "event_id": "randomblob(16)",
        "procedure_entry_no": "9999",
        "kafka_offset": "9999",
    },
    "batch": {
        "batch_no": "(select max(batch_no) + 1 from batch)",
        "first_seq": "(select max(seq) + 1 from entry)",
        "tree_size": "(select max(seq) + 1 from entry)",
    },
    "batch_partition": {"batch_no": "99"},
    "claim": {"epoch": "99"},
    "redelivery": {"kafka_offset": "9999"},
    "schema": {"sha256": "randomblob(32)"},
    "tile": {"tile_no": "9999"},
    "checkpoint": {"checkpoint_no": "99"},
    "procedure_head": {"signed_us": "99"},
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with rows in these tables; whatever is refused leaves it as it is."""
    url = f"sqlite:///{tmp_path_factory.mktemp('guards') / 'audit.sqlite3'}"
    migrate(url)
    fill_every_table(url)
    yield url
    assert verify(url).result == "intact"


def statement(tables, table, key, verb):
    """An insert of a copy of a row that shares this key with it, and no other."""
    keep = {name.strip() for name in key.split(",")}
    columns = list(tables.columns(table))
    values = [
        FRESH[table][name] if name in FRESH[table] and name not in keep else name
        for name in columns
    ]
    if "rowid" in keep:
        columns, values = ["rowid", *columns], ["rowid", *values]
    row = "seq = 3" if table == "entry" else "true"
    return (
        f"{verb} into {table} ({', '.join(columns)})"
        f" select {', '.join(values)} from {table} where {row} limit 1"
    )


def test_the_keys_are_those_of_the_catalogue(filled):
    with tables_of(filled) as tables:
        for table in TABLES:
            found = {
                ", ".join(name for _, _, name in tables.execute(f"pragma index_info({index})"))
                for _, index, unique, *_ in tables.execute(f"pragma index_list({table})")
                if unique
            }
            key = [name for _, name, *_, place in tables.execute(f"pragma table_info({table})")
                   if place]  # fmt: skip
            # An integer key of one column is the rowid, and has no index of its own.
            found.add(", ".join(key))
            if len(key) > 1 or tables.columns(table)[key[0]] != "integer":
                found.add("rowid")

            assert found == set(KEYS[table])
    assert set(KEYS) == set(TABLES)


@pytest.mark.parametrize("verb", ["insert or replace", "replace", "insert or ignore"])
@pytest.mark.parametrize(("table", "key"), [(t, key) for t, keys in KEYS.items() for key in keys])
def test_no_key_lets_a_row_take_the_place_of_another(filled, table, key, verb):
    with tables_of(filled) as tables:
        before = tables.execute(f"select rowid, * from {table} order by rowid")

        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            tables.execute(statement(tables, table, key, verb))

        assert tables.execute(f"select rowid, * from {table} order by rowid") == before


@pytest.mark.parametrize("table", [table for table in KEYS if table not in ("log", "topic")])
def test_no_row_is_put_where_an_automatic_rowid_would_hide_it(filled, table):
    """In a BEFORE INSERT trigger an automatic rowid reads as -1."""
    with tables_of(filled) as tables:
        insert = statement(tables, table, "nothing", "insert")
        at_minus_one = insert.replace("(", "(rowid, ", 1).replace("select ", "select -1, ", 1)

        with pytest.raises(sqlite3.IntegrityError, match="rowid > 0"):
            tables.execute(at_minus_one)


def test_an_upsert_is_refused(filled):
    with tables_of(filled) as tables:
        insert = statement(tables, "entry", "event_id", "insert")

        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            tables.execute(
                insert + " on conflict (event_id) where kind = 0 do update set reason = 'x'"
            )


def test_a_batch_row_must_stand_for_all_entries(filled):
    with tables_of(filled) as tables:
        insert = statement(tables, "batch", "nothing", "insert")

        with pytest.raises(sqlite3.IntegrityError, match="over all entries"):
            tables.execute(insert.replace("max(seq) + 1 from entry", "max(seq) from entry"))


@pytest.mark.parametrize("column", ["event_id", "procedure_id", "content_hash", "leaf_hash"])
def test_a_uuid_or_hash_of_another_length_is_refused_with_its_batch(filled, column):
    with tables_of(filled) as tables:
        columns = list(tables.columns("entry"))
        fresh = FRESH["entry"] | {column: "x'00'"}
        values = ", ".join(fresh.get(name, name) for name in columns)
        tables.execute("begin")
        tables.execute(
            f"insert into entry ({', '.join(columns)}) select {values} from entry where seq = 3"
        )

        with pytest.raises(sqlite3.IntegrityError, match="a UUID has 16 bytes"):
            tables.execute(
                "insert into batch select log_id, batch_no + 1, tree_size, tree_size + 1, root,"
                " frontier, recorded_us, batch_hash, batch_hash from batch"
                " order by batch_no desc limit 1"
            )

        # The guard has rolled the entry back with it.
        with pytest.raises(sqlite3.OperationalError, match="no transaction is active"):
            tables.execute("rollback")


def test_what_a_column_holds_is_strict(filled):
    with tables_of(filled) as tables:
        insert = statement(tables, "claim", "nothing", "insert")

        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value"):
            tables.execute(insert.replace("99", "'text'"))


def test_the_file_is_in_wal_mode_with_large_pages(filled):
    with tables_of(filled) as tables:
        assert tables.execute("pragma journal_mode") == [("wal",)]
        assert tables.execute("pragma page_size") == [(8192,)]
