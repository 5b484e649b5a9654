"""A verifier that remembers: it reads what came since, and says what it did not read."""

import json
from contextlib import closing

import pytest
from audit_records import Writer, record
from signed_logs import SignedLog
from store_tables import tables_of
from tampering import entries, forge, rebuild

from cryotrail.main import main
from cryotrail_audit.errors import CheckpointRefused, VerifierMemoryRefused
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog

FIRST_ROWS = 600
"""Two full tiles, and some entries of a third one that a later run reads again."""


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "home" / "verifier" / "memory.json"


@pytest.fixture
def log(store_url, tmp_path, memory):
    """A log that was verified once, with a memory of it."""
    made = SignedLog(store_url, tmp_path)
    made.append(FIRST_ROWS)
    first = verify(store_url, memory=memory)
    assert (first.result, first.size, first.checked_from_seq) == ("intact", FIRST_ROWS + 1, 0)
    return made


def test_a_later_run_reads_from_the_last_full_tile_and_says_so(log, memory):
    log.append(50)
    read = []

    found = verify(log.url, read.append, memory=memory)

    assert (found.result, found.size, found.checked_from_seq) == ("intact", 651, 512)
    assert sum(read) == 651 - 512
    assert found.remarks[0] == "entries before 512 were not read in this run"
    assert found.root == verify(log.url).root


def test_run_after_run_the_memory_is_that_of_a_whole_run(log, memory, tmp_path):
    for rows in (1, 0, 255, 300, 513):
        if rows:
            log.append(rows)
        assert verify(log.url, memory=memory).result == "intact"

    whole = tmp_path / "whole.json"
    verify(log.url, memory=whole)

    assert memory.read_text() == whole.read_text()


def test_the_folder_is_the_owner_s_alone(log, memory):
    assert memory.parent.stat().st_mode & 0o777 == 0o700
    assert memory.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in memory.parent.iterdir()] == [memory.name]


def test_what_is_changed_in_entries_that_are_read_is_found(log, memory):
    log.append(50)
    for seq in (512, 600, 620):
        with tables_of(log.url) as tables:
            tables.drop_guards()
            ((before,),) = tables.execute(f"select occurred_us from entry where seq = {seq}")
            tables.execute(f"update entry set occurred_us = 0 where seq = {seq}")

            found = verify(log.url, memory=memory)

            assert (found.result, found.first_broken_seq) == ("broken", seq)
            tables.execute("update entry set occurred_us = %s where seq = %s", [before, seq])
    assert verify(log.url, memory=memory).result == "intact"


def test_what_is_changed_in_entries_that_are_not_read_is_left_to_a_whole_run(log, memory):
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update entry set occurred_us = 0 where seq = 5")

    assert verify(log.url, memory=memory).result == "intact"
    assert verify(log.url).first_broken_seq == 5


def test_a_past_that_was_rebuilt_is_found_without_reading_it(log, memory):
    log.append(50)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        kept = entries(tables)
        kept[5] = kept[5]._replace(occurred_us=0)
        rebuild(tables, kept)
    assert verify(log.url).result == "intact"

    found = verify(log.url, memory=memory)

    assert found.result == "broken"
    assert "rewritten" in found.reason


def test_an_entry_that_was_forged_where_the_memory_begins_again_is_found(log, memory):
    with tables_of(log.url) as tables:
        tables.drop_guards()
        forge(tables, 590, occurred_us=0)

        found = verify(log.url, memory=memory)

    assert (found.result, found.first_broken_seq) == ("broken", None)
    assert "do not give the root that this verifier saw" in found.reason


def test_a_log_that_was_rolled_back_is_found(log, memory):
    log.append(50)
    assert verify(log.url, memory=memory).result == "intact"
    log.cut_to(2)
    assert verify(log.url).result == "intact"

    found = verify(log.url, memory=memory)

    assert found.result == "broken"
    assert found.reason == "the log has 601 entries, this verifier saw 651: it was rolled back"
    assert json.loads(memory.read_text())["size"] == 651  # what was seen is not forgotten


def test_a_position_moved_in_a_batch_that_was_seen_is_found_by_the_next_one(log, memory):
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update batch set batch_hash = prev_hash where batch_no = 1")

    found = verify(log.url, memory=memory)

    assert found.result == "broken"
    assert "batch 1 is not there any more as this verifier saw it" in found.reason


def test_numbers_within_a_procedure_go_on_over_what_was_not_read(log, memory):
    log.append(3)
    with tables_of(log.url) as tables:
        tables.drop_guards()
        forge(tables, 602, procedure_entry_no=9999)

        found = verify(log.url, memory=memory)

    assert (found.result, found.first_broken_seq) == ("broken", 602)
    assert "number 9999 within its procedure should be" in found.reason


def test_a_topic_or_schema_is_compared_with_what_was_said_before(log, memory):
    with closing(open_store(log.url)) as store:
        schema = catalog().current("FreezeStarted")
        store.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
    assert verify(log.url, memory=memory).result == "intact"
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update topic set name = 'another'")

    found = verify(log.url, memory=memory)

    assert (found.result, found.first_broken_seq) == ("broken", 0)


def test_a_memory_of_another_store_is_refused(log, memory, tmp_path):
    url = f"sqlite:///{tmp_path / 'another.sqlite3'}"
    migrate(url, origin="another.example/log")

    with pytest.raises(VerifierMemoryRefused, match=r"memory is of tests\.example/store"):
        verify(url, memory=memory)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 2}', "\x00"])
def test_a_memory_that_is_none_is_refused_and_kept(log, memory, content):
    memory.write_text(content)

    with pytest.raises(VerifierMemoryRefused, match="cannot be used"):
        verify(log.url, memory=memory)

    assert memory.read_text() == content


def test_it_never_says_proved_for_it_did_not_read_everything(log, memory):
    log.append(50)
    signed = log.sign()

    found = verify(log.url, checkpoint=signed.note.to_bytes(), memory=memory)

    assert (found.result, found.checkpoint_size) == ("intact", 651)
    assert found.words == "intact, extends a checkpoint held outside"
    assert verify(log.url, checkpoint=signed.note.to_bytes()).result == "proved"


def test_a_checkpoint_of_what_is_not_read_is_refused(store_url, tmp_path, memory):
    log = SignedLog(store_url, tmp_path)
    log.append(5)
    old = log.sign()
    log.append(FIRST_ROWS)
    verify(log.url, memory=memory)

    for note in (old.note, old.batches_note):
        with pytest.raises(CheckpointRefused, match="older than what this run reads"):
            verify(log.url, checkpoint=note.to_bytes(), memory=memory)


def test_the_command_remembers_below_its_home(log, memory, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", log.url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    with closing(open_store(log.url)) as store:
        Writer(store).append([record(5000)])

    assert main(["audit", "verify", "--since-last", "--record"]) == 0

    said = capsys.readouterr()
    assert said.out.startswith("intact, no outside anchor: 602 entries, root ")
    assert "entries before 512 were not read in this run" in said.err
    assert json.loads(memory.read_text())["size"] == 602
