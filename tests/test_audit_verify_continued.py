"""A log that continues one that was restored from a backup: both are verified, and the joint is."""

import json
from contextlib import closing

import pytest
from audit_records import Writer, record
from signed_logs import ORIGIN, SignedLog
from store_tables import tables_of

from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import SignatureRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.errors import CheckpointRefused
from cryotrail_audit.records import Administrative, IncomingBatch
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

NEW = "tests.example/store-2"
NOW_S = 1_790_000_000


def continue_log(log, **changed):
    """What ``audit continue`` leaves: a row of ``log``, and an entry that says why."""
    with closing(open_store(log.url)) as store:
        size = store.head().tree_size
    said = {
        "origin": ORIGIN,
        "signed_size": log.signed.checkpoint.size,
        "signed_root": log.signed.checkpoint.root.hex(),
        "restored_size": size,
        "reason": "the disk failed",
    } | changed
    with tables_of(log.url) as tables:
        tables.execute("insert into log values (2, %s, %s, 0)", [NEW, ORIGIN])
    with closing(open_store(log.url)) as store:
        store.append(IncomingBatch((), (), [Administrative("continued", said)], ""))
        writer = Writer(store, owner="recorder-2")
        writer.append(record(100 + row, incarnation=1) for row in range(4))


@pytest.fixture
def log(store_url, tmp_path):
    """A log that was signed at 11 entries."""
    made = SignedLog(store_url, tmp_path)
    made.append(5)
    made.append(5)
    made.signed = made.sign()
    return made


def restored(log):
    """Only the first two batches came back from the backup, and no note."""
    log.cut_to(2)
    with tables_of(log.url) as tables:
        tables.execute("delete from checkpoint")


def test_both_logs_are_verified_and_the_newest_is_reported(log):
    restored(log)
    continue_log(log)

    found = verify(log.url)

    assert (found.result, found.size) == ("intact", 5)


def test_a_log_that_has_all_that_was_signed_must_have_its_root(log):
    continue_log(log)

    assert verify(log.url).result == "intact"


def test_a_continued_log_whose_signed_root_was_another_is_broken(log):
    continue_log(log, signed_root=bytes(32).hex())

    found = verify(log.url)

    assert (found.result, found.first_broken_seq) == ("broken", None)
    assert "its first 11 entries give another root" in found.reason


@pytest.mark.parametrize(
    "changed",
    [{"origin": "another"}, {"restored_size": 12}, {"signed_size": "11"}, {"signed_root": "x"}],
)
def test_a_first_entry_that_says_something_else_is_found(log, changed):
    continue_log(log, **changed)

    assert verify(log.url).result == "broken"


def test_a_change_in_the_older_log_is_found_and_the_log_named(log):
    continue_log(log)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update entry set occurred_us = 0 where seq = 3 and log_id = 1")

    found = verify(log.url)

    assert (found.result, found.first_broken_seq) == ("broken", 3)
    assert found.reason.startswith(f"log {ORIGIN}: entry 3")


def test_it_is_proved_only_when_every_log_has_its_checkpoint(log):
    continue_log(log)
    head = verify(log.url)
    new = LogKey.create(NEW).sign(Checkpoint(NEW, head.size, head.root).to_text(), NOW_S)
    old = log.signed.note.to_bytes()

    of_old = verify(log.url, checkpoint=old)
    assert of_old.words == "intact, extends a checkpoint held outside" and of_old.anchored
    assert any("5 entries of the newest log from 0 on are under no" in r for r in of_old.remarks)
    assert verify(log.url, checkpoint=new.to_bytes()).result == "intact"
    assert verify(log.url, checkpoint=[old, new.to_bytes()]).result == "proved"


def test_each_log_has_its_key(log):
    continue_log(log)
    head, key = verify(log.url), LogKey.create(NEW)
    new = key.sign(Checkpoint(NEW, head.size, head.root).to_text(), NOW_S).to_bytes()
    old = log.signed.note.to_bytes()

    of_old = verify(log.url, checkpoint=old, pinned_key=log.key.pinned)
    both = verify(log.url, checkpoint=[old, new], pinned_key=[log.key.pinned, key.pinned])

    assert of_old.words == "intact, extends a checkpoint held outside" and of_old.signature_checked
    assert (both.result, both.signature_checked) == ("proved", True)
    with pytest.raises(SignatureRefused, match=f"the note is of {NEW}"):
        verify(log.url, checkpoint=[old, new], pinned_key=log.key.pinned)
    with pytest.raises(SignatureRefused, match="no signature of the Ed25519 key"):
        stranger = LogKey.create(NEW).pinned
        verify(log.url, checkpoint=[old, new], pinned_key=[log.key.pinned, stranger])


def test_a_memory_of_the_older_log_goes_on_into_the_newer_one(log, tmp_path):
    memory = tmp_path / "memory.json"
    assert verify(log.url, memory=memory).result == "intact"
    continue_log(log)

    found = verify(log.url, memory=memory)

    assert (found.result, found.size) == ("intact", 5)
    assert json.loads(memory.read_text())["origins"] == [ORIGIN, NEW]
    assert verify(log.url, memory=memory).result == "intact"


def test_what_a_memory_leaves_out_is_said_of_each_log(log, tmp_path):
    memory = tmp_path / "memory.json"
    log.append(300)
    log.signed = log.sign()
    verify(log.url, memory=memory)
    continue_log(log)

    of_both = verify(log.url, memory=memory)
    of_new = verify(log.url, memory=memory)

    assert of_both.not_read == f"entries of {ORIGIN} before 256"
    assert of_new.not_read == f"entries of {ORIGIN}"
    assert f"{of_new.not_read} were not read in this run" in of_new.remarks
    assert not any("in order as well" in remark for remark in of_new.remarks)
    with pytest.raises(CheckpointRefused, match="an earlier log, which this run does not read"):
        verify(log.url, checkpoint=log.signed.note.to_bytes(), memory=memory)


def test_logs_that_do_not_follow_each_other_are_broken(log):
    continue_log(log)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        for wrong in ("continues = 'another'", "continues = null", "log_id = 3"):
            tables.execute(f"update log set {wrong} where log_id = 2")

            assert verify(log.url).result == "broken", wrong
            tables.execute("update log set log_id = 2, continues = %s where log_id > 1", [ORIGIN])
    assert verify(log.url).result == "intact"
