"""What a checkpoint from outside adds to a verdict, and what it does not."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from audit_records import Writer, record
from signed_logs import ORIGIN, SignedLog
from store_tables import tables_of

from cryotrail.main import main
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.errors import CheckpointRefused
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.merkle import EMPTY_ROOT

NOW_S = 1_790_000_000


@pytest.fixture
def log(store_url, tmp_path):
    """A log of two batches, signed, and one more that is not."""
    made = SignedLog(store_url, tmp_path)
    made.append(5)
    made.append(5)
    made.signed = made.sign()
    made.append(3)
    return made


def test_a_store_that_extends_a_checkpoint_is_proved_up_to_its_size(log):
    found = verify(log.url, checkpoint=log.signed.note.to_bytes(), pinned_key=log.key.pinned)

    assert (found.result, found.size, found.checkpoint_size) == ("proved", 14, 11)
    assert found.anchored and found.signature_checked
    assert found.words == "proved, 11 of 14 entries under a checkpoint held outside"
    assert found.remarks == ("the 3 entries from 11 on are under no checkpoint held outside",)


def test_without_a_key_it_is_said_that_the_signature_was_not_checked(log):
    found = verify(log.url, checkpoint=log.signed.note.to_bytes())

    assert (found.result, found.signature_checked) == ("proved", False)
    assert "signature not checked: give the log's public key with --log-key" in found.remarks


def test_a_checkpoint_of_the_batches_covers_their_entries(log):
    found = verify(log.url, checkpoint=log.signed.batches_note.to_bytes())

    assert (found.result, found.checkpoint_size) == ("proved", 11)


def test_of_several_checkpoints_all_must_fit_and_the_largest_counts(log):
    later = log.sign()

    both = verify(log.url, checkpoint=[log.signed.note.to_bytes(), later.note.to_bytes()])
    forged = log.key.sign(Checkpoint(ORIGIN, 11, bytes(32)).to_text(), NOW_S)
    one_wrong = verify(log.url, checkpoint=[later.note.to_bytes(), forged.to_bytes()])

    assert (both.result, both.checkpoint_size) == ("proved", 14)
    assert both.words == "proved, all of 14 entries under a checkpoint held outside"
    assert (one_wrong.result, one_wrong.first_broken_seq) == ("broken", None)
    assert one_wrong.reason.startswith("the past was rewritten: the first 11 entries of")


@pytest.mark.parametrize("size", [3, 6, 10])
def test_a_checkpoint_between_two_batches_is_compared_as_well(log, size):
    with closing(open_store(log.url)) as store:
        leaves = [entry.leaf_hash for rows in store.entries() for entry in rows]
    from cryotrail_schemas.merkle import root

    honest = log.key.sign(Checkpoint(ORIGIN, size, root(leaves[:size])).to_text(), NOW_S)
    other = log.key.sign(Checkpoint(ORIGIN, size, root(leaves[1 : size + 1])).to_text(), NOW_S)

    assert verify(log.url, checkpoint=honest.to_bytes()).checkpoint_size == size
    assert verify(log.url, checkpoint=other.to_bytes()).result == "broken"


@pytest.mark.parametrize("origin", [ORIGIN, f"{ORIGIN}/batches"])
def test_a_log_shorter_than_signed_was_rolled_back(log, origin):
    longer = log.key.sign(Checkpoint(origin, 15, bytes(32)).to_text(), NOW_S).to_bytes()

    found = verify(log.url, checkpoint=longer)

    assert (found.result, found.first_broken_seq, found.checkpoint_size) == ("broken", None, None)
    assert found.reason.startswith("shorter than signed, so rolled back")


def test_a_checkpoint_of_nothing_anchors_nothing(log):
    empty = log.key.sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT).to_text(), NOW_S).to_bytes()

    found = verify(log.url, checkpoint=empty)

    assert (found.result, found.anchored) == ("intact", False)
    assert found.words == "intact, no outside anchor"


def test_a_checkpoint_of_another_log_is_refused_and_no_verdict_given(log):
    other = LogKey.create("another.example/log")
    note = other.sign(Checkpoint("another.example/log", 3, bytes(32)).to_text(), NOW_S)

    with pytest.raises(CheckpointRefused, match=r"another\.example/log; the store's log is tests"):
        verify(log.url, checkpoint=note.to_bytes())


def test_a_checkpoint_that_the_key_did_not_sign_is_refused(log):
    forged = LogKey.create(ORIGIN).sign(log.signed.note.text, NOW_S)

    with pytest.raises(SignatureRefused):
        verify(log.url, checkpoint=forged.to_bytes(), pinned_key=log.key.pinned)
    with pytest.raises(NoteRefused):
        verify(log.url, checkpoint=b"no note")


def test_stored_notes_must_be_signed_by_the_key_that_is_given(log):
    stranger = LogKey.create(ORIGIN).pinned

    found = verify(log.url, pinned_key=stranger)

    assert (found.result, found.first_broken_seq) == ("broken", None)
    assert found.reason.startswith("the stored checkpoint 0 is not signed by the key")
    assert verify(log.url, pinned_key=log.key.pinned).result == "intact"


def test_a_break_names_its_entry_also_when_the_checkpoint_is_not_met(log):
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update entry set occurred_us = 0 where seq = 8")

    found = verify(log.url, checkpoint=log.signed.note.to_bytes())

    assert (found.result, found.first_broken_seq) == ("broken", 8)


@pytest.fixture
def command(log, monkeypatch, tmp_path):
    """``cryotrail audit verify`` on the log; files with what is held outside."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", log.url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    files = {"note": log.signed.note.to_bytes(), "batches": log.signed.batches_note.to_bytes(),
             "key": log.key.pinned.to_text().encode()}  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main(["audit", "verify", *arguments])


def test_the_command_takes_several_checkpoints_and_the_key(command, capsys):
    assert command("--checkpoint", "note", "--checkpoint", "batches", "--log-key", "key") == 0

    said = capsys.readouterr()
    assert said.out.startswith("proved, 11 of 14 entries under a checkpoint held outside: 14 ent")
    assert said.err == "the 3 entries from 11 on are under no checkpoint held outside\n"


def test_the_command_s_json_says_what_was_anchored(command, capsys):
    assert command("--checkpoint", "note", "--json") == 0

    printed = json.loads(capsys.readouterr().out)
    assert (printed["result"], printed["anchored"], printed["checkpoint_size"]) == (
        "proved", True, 11,
    )  # fmt: skip
    assert (printed["signature_checked"], printed["checked_from_seq"]) == (False, 0)


def test_the_command_refuses_a_checkpoint_that_is_not_there(command, capsys):
    assert command("--checkpoint", "nowhere") == 1

    assert "cannot read the checkpoint nowhere" in capsys.readouterr().err


def test_the_command_records_the_verdict_as_an_entry(command, log, capsys):
    assert command("--record", "--json") == 0

    printed = json.loads(capsys.readouterr().out)
    with closing(open_store(log.url)) as store:
        (entry,) = [entry for rows in store.entries(after_seq=13) for entry in rows]
    assert (entry.kind, entry.event_type, json.loads(entry.raw)) == (3, "verification", printed)
    assert (printed["result"], printed["size"]) == ("intact", 14)
    assert verify(log.url).size == 15


def test_the_command_records_a_broken_store_too(command, log, capsys):
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update entry set occurred_us = 0 where seq = 8")

    assert command("--record") == 1

    with closing(open_store(log.url)) as store:
        (entry,) = [entry for rows in store.entries(after_seq=13) for entry in rows]
        Writer(store).append([record(99)])
    assert json.loads(entry.raw)["words"] == "broken at seq 8"
    assert Path.cwd().joinpath("home").exists() is False
