"""What is found of what whoever can write everything in the database can do, and by what.

The guards are off, as for a superuser or for whoever can write the file. The table of the folder's
README is this one.
"""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from attacked_logs import BATCH, ROW, AttackedLog, fill, signed
from audit_records import Writer, record
from signed_logs import ORIGIN
from sqlalchemy import make_url
from store_tables import TABLES, tables_of
from tampering import edits, entries, forge, rebuild, rechain

from cryotrail_audit.evidence.copy import PostgresqlRangeReader
from cryotrail_audit.evidence.range import SeqRange
from cryotrail_audit.evidence.rows import SqliteRanges
from cryotrail_audit.framing import RECORD_COLUMNS
from cryotrail_audit.records import Entry
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

README = Path(__file__).parents[1] / "audit" / "README.md"

Attack = Callable[[AttackedLog], None]


@dataclass(frozen=True)
class Row:
    """One line of the table: whether each column finds it."""

    done: str
    alone: bool
    checkpoint: bool
    further: str
    """What else finds it, besides a checkpoint of the entries."""
    attacks: tuple[Attack, ...]

    def __str__(self) -> str:
        alone, checkpoint = (
            "yes" if found else "**no**" for found in (self.alone, self.checkpoint)
        )
        return f"| {self.done} | {alone} | {checkpoint} | {self.further} |"


def edit_a_column(log: AttackedLog) -> None:
    log.tables.execute(f"update entry set occurred_us = occurred_us + 1 where seq = {ROW}")


def remove_from_the_middle(log: AttackedLog) -> None:
    log.tables.execute(f"delete from entry where seq = {ROW}")


def exchange_two(log: AttackedLog) -> None:
    for old, new in ((ROW, -1), (ROW + 1, ROW), (-1, ROW + 1)):
        log.tables.execute(f"update entry set seq = {new} where seq = {old}")


def put_one_in_twice(log: AttackedLog) -> None:
    """Past the unique keys too, as a file that was edited can have it."""
    if "uuid" in log.tables.columns("entry").values():
        log.tables.execute("alter table entry drop constraint entry_pkey")
        for index in ("entry_event", "entry_procedure", "entry_coordinates"):
            log.tables.execute(f"drop index {index}")
        log.tables.execute(f"insert into entry select * from entry where seq = {ROW}")
    else:  # the keys of a table cannot be dropped: the row takes the place of another
        log.tables.execute(f"delete from entry where seq = {ROW + 1}")
        columns = ", ".join(
            {"seq": "seq + 1", "event_id": "randomblob(16)", "kafka_offset": "kafka_offset + 1000",
             "procedure_entry_no": "procedure_entry_no + 1000"}.get(name, name)
            for name in Entry._fields
        )  # fmt: skip
        log.tables.execute(f"insert into entry select {columns} from entry where seq = {ROW}")


def cut_within_a_batch(log: AttackedLog) -> None:
    log.tables.execute("delete from entry where seq >= 13")


def edit_and_fit_the_leaf(log: AttackedLog) -> None:
    forge(log.tables, ROW, occurred_us=0)


def edit_a_batch(log: AttackedLog) -> None:
    log.tables.execute(f"update batch set recorded_us = recorded_us + 1 where batch_no = {BATCH}")


def move_a_position(log: AttackedLog) -> None:
    log.tables.execute(
        f"update batch_partition set next_offset = next_offset + 1 where batch_no = {BATCH}"
    )


def edit_a_topic(log: AttackedLog) -> None:
    log.tables.execute("update topic set name = 'another'")


def edit_a_schema(log: AttackedLog) -> None:
    log.tables.execute("update schema set text = '\"int\"'")


def forget_a_redelivery(log: AttackedLog) -> None:
    log.tables.execute("delete from redelivery")


def remove_a_tile(log: AttackedLog) -> None:
    log.tables.execute("delete from tile")


def put_in_a_tile(log: AttackedLog) -> None:
    log.tables.execute("insert into tile select log_id, 1, tile_no, root, hashes from tile")


def edit_a_checkpoint(log: AttackedLog) -> None:
    log.tables.execute("update checkpoint set tree_size = tree_size - 1 where checkpoint_no = 2")


def edit_a_head(log: AttackedLog) -> None:
    log.tables.execute("update procedure_head set entry_count = entry_count - 1")


def remove_a_checkpoint_between(log: AttackedLog) -> None:
    log.tables.execute("delete from checkpoint where checkpoint_no = 1")


def resign_a_checkpoint(log: AttackedLog) -> None:
    resign(log, "checkpoint", "checkpoint_no = 0")


def resign_a_head(log: AttackedLog) -> None:
    resign(log, "procedure_head", "true")


def resign(log: AttackedLog, table: str, where: str) -> None:
    """Flip a bit of the first signature; the note is still one."""
    ((note,),) = log.tables.execute(f"select note from {table} where {where}")
    line = note.index(b"\xe2\x80\x94 ") + len(f"— {ORIGIN} ".encode()) + 20
    other = (
        bytes(note)[:line] + (b"A" if note[line : line + 1] != b"A" else b"B") + note[line + 1 :]
    )
    log.tables.execute(f"update {table} set note = %s where {where}", [other])


def forget_the_newest_notes(log: AttackedLog) -> None:
    log.tables.execute("delete from checkpoint where checkpoint_no >= 2")
    log.tables.execute("delete from procedure_head")


def forget_all_notes(log: AttackedLog) -> None:
    log.tables.execute("delete from checkpoint")
    log.tables.execute("delete from procedure_head")


def begin_a_second_log(log: AttackedLog) -> None:
    log.tables.execute(f"insert into log values (2, 'another.example', '{ORIGIN}', 0)")


def roll_back(log: AttackedLog) -> None:
    forget_all_notes(log)
    log.log.cut_to(BATCH)
    log.tables.execute("delete from schema")


def edit_and_rebuild(log: AttackedLog) -> None:
    forget_all_notes(log)
    kept = entries(log.tables)
    kept[ROW] = kept[ROW]._replace(occurred_us=0)
    rebuild(log.tables, kept)


def remove_and_rebuild(log: AttackedLog) -> None:
    forget_all_notes(log)
    rebuild(log.tables, [entry for entry in entries(log.tables) if entry.seq != ROW])


def rebuild_and_keep_the_notes(log: AttackedLog) -> None:
    kept = entries(log.tables)
    kept[ROW] = kept[ROW]._replace(occurred_us=0)
    rebuild(log.tables, kept)


def move_a_position_and_rechain(log: AttackedLog) -> None:
    forget_all_notes(log)
    move_a_position(log)
    rechain(log.tables)


def append_a_forged_entry(log: AttackedLog) -> None:
    with closing(open_store(log.url)) as store:
        Writer(store, owner="recorder-2").append([record(9999)])


def remove_behind_the_checkpoint_and_rebuild(log: AttackedLog) -> None:
    """One of the procedure that has a head; the checkpoint was taken before it was recorded."""
    log.tables.execute("delete from procedure_head")
    log.tables.execute("delete from checkpoint where checkpoint_no >= 2")
    procedure_id = record(0).procedure_id
    *_, last = (entry.seq for entry in entries(log.tables) if entry.procedure_id == procedure_id)
    with log.log.notes() as notes:
        older = next(iter(notes.checkpoints(ORIGIN)))
    assert older.tree_size <= last
    log.checkpoint = older.note
    rebuild(log.tables, [entry for entry in entries(log.tables) if entry.seq != last])


def edit_a_claim(log: AttackedLog) -> None:
    log.tables.execute("update claim set owner = 'somebody'")


def age_the_log(log: AttackedLog) -> None:
    log.tables.execute("update log set created_us = created_us - 1")


def rename_the_log(log: AttackedLog) -> None:
    forget_all_notes(log)
    log.tables.execute("update log set origin = 'another.example'")


BATCHES, HEAD, SEAL, KEY, NOTHING = (
    "a checkpoint of the batches held outside",
    "a procedure head held outside, such as an export's",
    "its producer's seal and signatures; Kafka, while it keeps the records",
    "the log's public key (`--log-key`)",
    "nothing",
)

MATRIX = (
    Row("any column of an entry changed", True, True, "", (edit_a_column,)),
    Row(
        "an entry removed from the middle, two exchanged, one put in twice, the end cut within a"
        " batch",
        True,
        True,
        "",
        (remove_from_the_middle, exchange_two, put_one_in_twice, cut_within_a_batch),
    ),
    Row("an entry changed and its leaf hash made to fit", True, True, "", (edit_and_fit_the_leaf,)),
    Row(
        "a batch row, position, redelivery, topic or schema changed",
        True,
        True,
        "",
        (edit_a_batch, move_a_position, forget_a_redelivery, edit_a_topic, edit_a_schema),
    ),
    Row("a tile changed, removed or put in", True, True, "", (remove_a_tile, put_in_a_tile)),
    Row(
        "what a stored checkpoint or procedure head says changed, one removed from the middle",
        True,
        True,
        "",
        (edit_a_checkpoint, edit_a_head, remove_a_checkpoint_between),
    ),
    Row(
        "a second log put beside the first, which would leave the first unread",
        True,
        True,
        "",
        (begin_a_second_log,),
    ),
    Row(
        "everything rebuilt, but the stored checkpoints left",
        True,
        True,
        "",
        (rebuild_and_keep_the_notes,),
    ),
    # In test_audit_damage.
    Row("pages of the database's files overwritten, the SQLite file truncated", True, True, "", ()),
    Row(
        "the last batches removed whole: a rollback to an older state",
        False,
        True,
        BATCHES,
        (roll_back,),
    ),
    Row(
        "everything rebuilt after a change: leaves, roots, chain, tiles",
        False,
        True,
        BATCHES,
        (edit_and_rebuild,),
    ),
    Row(
        "an entry removed, the rest renumbered, everything rebuilt",
        False,
        True,
        BATCHES,
        (remove_and_rebuild,),
    ),
    Row("the log's name changed", False, True, BATCHES, (rename_the_log,)),
    Row(
        "a position moved, and the chain over the batches rebuilt",
        False,
        False,
        BATCHES,
        (move_a_position_and_rechain,),
    ),
    Row(
        "an entry behind the newest checkpoint removed, and everything rebuilt",
        False,
        False,
        HEAD,
        (remove_behind_the_checkpoint_and_rebuild,),
    ),
    Row("a new, well-formed entry appended", False, False, SEAL, (append_a_forged_entry,)),
    Row(
        "the signature on a stored checkpoint or head changed",
        False,
        False,
        KEY,
        (resign_a_checkpoint, resign_a_head),
    ),
    Row(
        "the newest stored checkpoints and heads removed",
        False,
        False,
        NOTHING,
        (forget_the_newest_notes,),
    ),
    Row(
        "a claim changed, or the time at which the log was begun",
        False,
        False,
        NOTHING,
        (edit_a_claim, age_the_log),
    ),
)


@pytest.fixture
def attacked(store_url, tmp_path):
    """A signed store without its guards."""
    log = fill(store_url, tmp_path)
    with tables_of(store_url) as tables:
        yield signed(store_url, log, tables)


@pytest.mark.parametrize(
    ("row", "attack"),
    [(row, attack) for row in MATRIX for attack in row.attacks],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_every_attack_is_found_by_what_the_table_says(attacked, row, attack):
    assert verify(attacked.url, checkpoint=attacked.checkpoint).result == "proved"

    attack(attacked)

    assert attacked.found_alone() == row.alone
    assert attacked.found_with(attacked.checkpoint) == row.checkpoint
    match row.further:
        case further if further == BATCHES:
            assert attacked.found_with(attacked.batches)
        case further if further == HEAD:
            assert attacked.found_by_head()
        case further if further == KEY:
            assert attacked.found_with_key()
        case further if further == NOTHING:
            assert not attacked.found_with(attacked.checkpoint, attacked.batches)
            assert not attacked.found_with_key()


def test_the_table_of_the_readme_is_this_one():
    said = re.findall(r"^\| .* \|$", README.read_text(), re.MULTILINE)

    table = "\n".join(str(row) for row in MATRIX)
    assert table in "\n".join(said), f"put this into {README}:\n\n{table}"


UNBOUND = {"log.created_us"} | {
    f"claim.{name}" for name in ("topic_id", "part", "epoch", "owner", "claimed_us")
}
"""Columns that the database alone does not bind; the log's name it does where notes are stored."""


def test_every_column_of_every_table_is_bound_but_those_that_the_table_names(attacked):
    """The tables of the entries themselves, which take longest, are in test_audit_tamper."""
    rows = {
        "log": "true",
        "claim": "epoch = 1",
        "topic": "true",
        "schema": "true",
        "redelivery": "true",
        "batch_partition": f"batch_no = {BATCH}",
        "tile": "true",
        "checkpoint": "checkpoint_no = 1",
        "procedure_head": "true",
    }
    assert {*rows, "entry", "batch"} == set(TABLES)
    unfound = set()
    for table, where in rows.items():
        notes = attacked.tables.execute("select count(*) from checkpoint")
        assert notes[0][0] == 4
        for edit in edits(attacked.tables, table, where):
            if not attacked.found_alone():
                unfound.add(edit.partition(":")[0])
    # A bit of a signature is for who has the key; what it signs is bound.
    assert unfound - {"checkpoint.note", "procedure_head.note"} == UNBOUND
    assert verify(attacked.url, checkpoint=attacked.checkpoint).result == "proved"


def bits_flipped(value, kind):
    """Every value that differs from another in one bit, and that its column can hold."""
    if isinstance(value, int):
        width = {"smallint": 16, "integer": 32, "bigint": 64}[kind.rstrip("?")]
        for bit in range(width):
            other = (value & (1 << width) - 1) ^ 1 << bit
            yield other - (1 << width) if other >> width - 1 else other
    elif isinstance(value, str):
        for other in bits_flipped(value.encode(), "bytea"):
            if b"\x00" not in other:
                try:
                    yield other.decode()
                except UnicodeDecodeError:
                    continue
    elif value is not None:
        for bit in range(len(value) * 8):
            other = bytearray(value)
            other[bit // 8] ^= 1 << bit % 8
            yield bytes(other)


TYPES = {
    "log_id": "smallint",
    "framing": "smallint",
    "kind": "smallint",
    "procedure_entry_no": "integer?",
    "seq": "bigint",
    "recorded_us": "bigint",
    **dict(RECORD_COLUMNS),
    "leaf_hash": "hash",
}
"""Of the columns of an entry, in PostgreSQL's words."""


def reader_of(url):
    """A reader of entries that sees what was committed last."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteRanges(Path(str(parsed.database))).open()
    return PostgresqlRangeReader(
        psycopg.connect(
            host=parsed.host, port=parsed.port, user=parsed.username, dbname=parsed.database,
            autocommit=True,
        )
    )  # fmt: skip


def put(tables, column, kind, value, entry):
    """Give the row of an entry, found by a column that is not at hand, another value."""
    if kind.startswith("uuid") and "uuid" in tables.columns("entry").values():
        value = UUID(bytes=value)
    key = "raw" if column == "leaf_hash" else "leaf_hash"
    tables.execute(f"update entry set {column} = %s where {key} = %s", [value, getattr(entry, key)])


def test_every_bit_of_a_whole_entry_is_bound(store_url):
    """By the reader of entries itself, on a row as short as one can be."""
    with closing(open_store(store_url)) as store:
        Writer(store).append(
            record(number, raw=b"\xc3\x01" + bytes(8) + b"body%d" % number, kafka_key=b"key",
                   kafka_headers=b"", key_id=b"k", signing_key_id=b"s", signature=b"g",
                   reason="r", source_seq=None)
            for number in range(2)
        )  # fmt: skip
    flipped = refused = 0
    with tables_of(store_url) as tables, closing(reader_of(store_url)) as reader:
        tables.drop_guards()
        (before,) = entries(tables, "seq = 1")
        for column, kind in TYPES.items():
            value = getattr(before, column)
            for other in bits_flipped(value, kind):
                try:
                    put(tables, column, kind, other, before)
                except (sqlite3.IntegrityError, psycopg.IntegrityError):
                    refused += 1  # another row has this key
                    continue
                found = reader.read(1, SeqRange(0, 3))
                assert found.broken or len(found.leaf_hashes) < 3 * 32, (column, other)
                put(tables, column, kind, value, before)
                flipped += 1
        whole = reader.read(1, SeqRange(0, 3))
        assert whole.broken is None
        assert len(whole.leaf_hashes) == 3 * 32
    assert flipped > 1500
    assert refused < 5


def test_a_store_that_was_touched_after_its_checkpoint_is_never_proved_beyond_it(attacked):
    append_a_forged_entry(attacked)

    found = verify(attacked.url, checkpoint=attacked.checkpoint, pinned_key=attacked.log.key.pinned)

    assert (found.result, found.checkpoint_size) == ("proved", attacked.size)
    assert found.size == attacked.size + 1
    assert found.words == (
        f"proved, {attacked.size} of {attacked.size + 1} entries under a checkpoint held outside"
    )
    assert any("under no checkpoint held outside" in remark for remark in found.remarks)
