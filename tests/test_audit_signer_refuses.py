"""What a signer with a memory does not sign: any other past than the one that it hashed."""

import json
import shutil
from contextlib import closing

import pytest
from audit_records import Writer, record
from signed_logs import ORIGIN, SignedLog
from store_tables import TABLES, tables_of
from tampering import rechain

from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import MemoryLost, SignatureRefused, SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.framing import leaf_hash, pack_head, pack_tail
from cryotrail_audit.migration import migrate
from cryotrail_audit.records import IncomingRecord
from cryotrail_audit.store import open_store


def signed_log(url, folder):
    """Batches: the topic, then two of five events each; all of it signed."""
    log = SignedLog(url, folder)
    log.append(5)
    log.append(5)
    log.sign()
    return log


@pytest.fixture
def log(store_url, tmp_path):
    """A signed log, on each database in turn."""
    return signed_log(store_url, tmp_path)


@pytest.fixture
def sqlite_log(sqlite_url, tmp_path):
    """A signed log where the database does not matter."""
    return signed_log(sqlite_url, tmp_path)


def refused(log, words, **options):
    """Nothing is signed, and the memory stays as it was."""
    sizes, memory = log.signed_sizes(), log.memory.path.read_text()
    with pytest.raises(SigningRefused, match=words):
        log.sign(**options)
    assert log.signed_sizes() == sizes
    assert log.memory.path.read_text() == memory


def rebuild(log, first_offset, batches=2):
    """Empty the log past its guards, and let the store itself fill it with other entries."""
    with tables_of(log.url) as tables:
        tables.drop_guards()
        for table in TABLES:
            if table not in ("log", "checkpoint", "procedure_head"):
                tables.execute(f"delete from {table}")
    with closing(open_store(log.url)) as store:
        writer = Writer(store)
        for number in range(batches):
            first = first_offset + 5 * number
            writer.append([record(first + row) for row in range(5)])


def test_a_log_that_was_rolled_back_to_an_older_batch(log):
    log.cut_to(2)
    refused(log, "shorter than what was signed")

    log.append(5)  # grown again to the size that was signed: a fork
    refused(log, "forked or rebuilt")

    log.append(5)  # and beyond it
    refused(log, "forked or rebuilt")
    refused(log, "another root at size 11", full=True)


def test_a_log_that_was_emptied(log):
    log.cut_to(0)

    refused(log, "shorter than what was signed")


def test_a_log_that_was_rebuilt_with_the_same_number_of_entries(log):
    rebuild(log, 1000)

    refused(log, "forked or rebuilt")
    refused(log, "another root at size 11", full=True)


def test_a_log_that_was_rebuilt_and_grew(log):
    rebuild(log, 1000, batches=4)

    refused(log, "forked or rebuilt")


def test_a_log_of_another_name(log, tmp_path):
    other = tmp_path / "other.sqlite3"
    migrate(f"sqlite:///{other}", origin="tests.example/other")

    with (
        pytest.raises(SigningRefused, match=r"named tests\.example/other"),
        log.signer(f"sqlite:///{other}"),
    ):
        pass


def test_the_memory_of_another_log(sqlite_log):
    said = json.loads(sqlite_log.memory.path.read_text())
    sqlite_log.memory.path.write_text(
        json.dumps(said | {"origin": "tests.example/other"}, indent=1)
    )

    with pytest.raises(SigningRefused, match=r"memory is of tests\.example/other"):
        sqlite_log.sign()


def change(tables, seq, event_type):
    """Another event type, with a leaf hash that fits it; what the root of its batch shows."""
    tables.execute("update entry set event_type = %s where seq = %s", [event_type, seq])
    columns = list(tables.columns("entry"))
    (row,) = tables.execute(f"select {', '.join(columns)} from entry where seq = %s", [seq])
    values = [getattr(value, "bytes", value) for value in row]
    values = [bytes(value) if isinstance(value, memoryview) else value for value in values]
    log_id, _, kind, entry_no, seq, recorded_us = values[:6]
    head = pack_head(log_id, kind, entry_no, seq, recorded_us)
    leaf = leaf_hash(head, pack_tail(IncomingRecord(*values[6:-1])))
    tables.execute("update entry set leaf_hash = %s where seq = %s", [leaf, seq])


def test_a_new_entry_that_was_changed(log):
    log.append(5)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update entry set event_type = 'ThawStarted' where seq = 13")
    refused(log, "entry 13: its columns do not give its leaf hash")


def test_a_new_entry_that_was_changed_with_its_leaf_hash(log):
    log.append(5)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        change(tables, 13, "ThawStarted")
    refused(log, "do not give the root of batch 3")


def test_a_new_entry_that_is_missing(log):
    log.append(5)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("delete from entry where seq = 13")
    refused(log, "entry 13 is missing")


def test_new_entries_that_are_missing_at_the_end(log):
    log.append(5)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("delete from entry where seq > 13")
    refused(log, "missing")


def test_a_position_that_was_moved(log):
    log.append(5)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update batch_partition set next_offset = 99 where batch_no = 3")
    refused(log, "batch 3: its row, a position or a redelivery")


def move_a_position(log):
    """The entries stay as they are, and the chain over the batches is made to fit."""
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update batch_partition set next_offset = 99 where batch_no = 2")
        rechain(tables)


def test_a_signed_position_that_was_moved_with_the_chain_rebuilt(log):
    move_a_position(log)

    refused(log, "forked or rebuilt")
    refused(log, "the chain over the batches is another one at batch 3", full=True)


def test_a_memory_is_not_adopted_over_another_chain_than_was_signed(log):
    held = log.sign().note.to_bytes()
    log.memory.path.unlink()
    move_a_position(log)

    with log.signer() as signer, pytest.raises(SigningRefused, match="another one at batch 3"):
        signer.adopt(held)
    assert not log.memory.exists()


def test_a_batch_that_does_not_follow(log):
    log.append(5)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update batch set batch_no = 4 where batch_no = 3")
    refused(log, "batch 3 does not follow")


def test_an_old_entry_that_was_changed_is_found_by_hashing_all(log):
    """What is under the memory is not read again: a full run does, or the proof where it leads."""
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update entry set event_type = 'ThawStarted' where seq = 3")
    log.sign()
    refused(log, "entry 3: its columns do not give its leaf hash", full=True)

    with tables_of(log.url) as tables:
        change(tables, 3, "ThawStarted")
    log.append(5)
    refused(log, "hashes of the past were changed")
    refused(log, "do not give the root of batch 1", full=True)


def test_an_entry_of_an_ended_procedure_that_was_changed(log):
    with tables_of(log.url) as tables:
        tables.drop_guards()
        change(tables, 3, "ThawStarted")
        procedure = record(2).procedure_id
    log.append(1, event_type="ProcedureEnded", procedure_id=procedure)
    with pytest.raises(SigningRefused):
        log.sign()


def test_a_lost_memory(sqlite_log):
    sqlite_log.memory.path.unlink()

    with pytest.raises(MemoryLost, match="cannot be read"):
        sqlite_log.sign()


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", "half", "frontier", "root"])
def test_a_damaged_memory(sqlite_log, damage):
    text = sqlite_log.memory.path.read_text()
    said = json.loads(text)
    if damage == "half":
        text = text[: len(text) // 2]
    elif damage in said:
        text = json.dumps(said | {damage: bytes(32).hex()}, indent=1)
    else:
        text = damage
    sqlite_log.memory.path.write_text(text)

    with pytest.raises(MemoryLost, match="damaged"):
        sqlite_log.sign()


def test_a_lost_memory_is_taken_up_from_a_checkpoint_held_outside(log):
    held = log.sign().note.to_bytes()
    log.append(5)
    log.memory.path.unlink()

    with log.signer() as signer:
        adopted = signer.adopt(held)
    signed = log.sign()

    assert adopted.size == signed.checkpoint.size == 16
    assert adopted.checkpoint == signed.checkpoint


def test_a_log_that_does_not_extend_the_checkpoint_is_not_adopted(log):
    held = log.sign().note.to_bytes()
    log.memory.path.unlink()
    rebuild(log, 1000, batches=4)

    with log.signer() as signer, pytest.raises(SigningRefused, match="another root at size 11"):
        signer.adopt(held)
    assert not log.memory.exists()

    log.cut_to(2)
    with log.signer() as signer, pytest.raises(SigningRefused, match="never had the size 11"):
        signer.adopt(held)


def test_an_older_checkpoint_does_not_hide_what_was_signed_later(log):
    held = log.sign().note.to_bytes()
    log.append(5)
    log.sign()
    log.memory.path.unlink()
    log.cut_to(3)
    with closing(open_store(log.url)) as store:
        Writer(store).append([record(offset) for offset in range(10, 13)])
        Writer(store).append([record(offset) for offset in range(13, 22)])

    with log.signer() as signer, pytest.raises(SigningRefused, match="never had the size 16"):
        signer.adopt(held)


def test_a_checkpoint_of_another_key_is_not_adopted(sqlite_log):
    size, root = sqlite_log.memory.load().checkpoint[1:]
    forged = LogKey.create(ORIGIN).sign(Checkpoint(ORIGIN, size, root).to_text(), 1)
    batches = sqlite_log.sign().batches_note

    with sqlite_log.signer() as signer:
        with pytest.raises(SignatureRefused):
            signer.adopt(forged.to_bytes())
        with pytest.raises(SigningRefused, match="/batches"):
            signer.adopt(batches.to_bytes())


def test_junk_among_the_checkpoints_hides_none(log):
    with tables_of(log.url) as tables:
        for number, note in ((90, b"junk"), (91, LogKey.create(ORIGIN).sign("x\n", 1).to_bytes())):
            tables.execute(
                "insert into checkpoint values (1, %s, %s, 999, %s, %s, 0)",
                [number, ORIGIN, bytes(32), note],
            )
    signed = log.sign()

    with log.notes() as stored_notes:
        newest = stored_notes.newest_signed(ORIGIN, log.key.pinned)
    assert notes.parse(newest.note) == signed.note


def test_a_second_memory_is_never_begun(sqlite_log):
    with pytest.raises(SigningRefused, match="never begun again"):
        sqlite_log.memory.begin(ORIGIN)


def test_the_store_of_a_copied_home_is_refused_once_both_went_on(sqlite_url, tmp_path):
    """A copy of the store and of the memory: each of the two is signed for until they meet."""
    log = SignedLog(sqlite_url, tmp_path)
    log.append(5)
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(sqlite_url.removeprefix("sqlite:///"), copy)
    log.append(5)
    log.sign()
    with closing(open_store(f"sqlite:///{copy}")) as store:
        Writer(store).append([record(offset) for offset in range(100, 110)])

    with log.signer(f"sqlite:///{copy}") as signer, pytest.raises(SigningRefused):
        signer.sign()
