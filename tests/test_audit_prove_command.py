"""``cryotrail audit prove``: a file that proves the entry, or a refusal with its remedy."""

import json
from contextlib import closing
from uuid import UUID

import pytest
from audit_records import Writer, record
from store_tables import tables_of

from cryotrail.main import main
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.proofs.entry_proof import computed_leaf
from cryotrail_audit.proofs.tlog_proof import parse
from cryotrail_audit.store import open_store


@pytest.fixture
def log(store_url, monkeypatch, tmp_path):
    """A store of 301 entries under a checkpoint over 301, and 10 entries since."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    with closing(open_store(store_url)) as store:
        writer, key = Writer(store), LogKey.create(store.origin())
        writer.append(record(offset) for offset in range(300))
        signed = checkpoint(key, store)
        with closing(SignedNotes.open(store_url)) as stored:
            stored.add([signed], 0)
        writer.append(record(offset) for offset in range(300, 310))
        yield store, key, signed, tmp_path / "event.tlog-proof"


def checkpoint(key, store):
    head = store.head()
    return key.sign(Checkpoint(store.origin(), head.tree_size, head.root).to_text(), 1_795_000_000)


def entry_at(store, seq):
    return next(store.entries(after_seq=seq - 1, through_seq=seq))[0]


def event_id_at(store, seq):
    return str(UUID(bytes=entry_at(store, seq).event_id))


def test_the_file_proves_the_entry_to_who_has_its_columns_and_the_key(log, capsys):
    store, key, signed, output = log

    assert main(["audit", "prove", event_id_at(store, 42), "--output", str(output)]) == 0

    proof = parse(output.read_bytes())
    assert (proof.index, proof.checkpoint_note) == (42, signed.to_bytes())
    found = proof.verify(computed_leaf(entry_at(store, 42)))
    key.pinned.verify(notes.parse(proof.checkpoint_note))
    assert (found.origin, found.size) == (store.origin(), 301)
    said = capsys.readouterr()
    assert "entry 42 is in the tree of 301 entries" in said.out
    assert "signatures were not checked" in said.err


def test_json_says_what_was_written(log, capsys):
    store, _key, _signed, output = log

    assert main(["audit", "prove", event_id_at(store, 42), "--output", str(output), "--json"]) == 0

    said = json.loads(capsys.readouterr().out)
    entry = entry_at(store, 42)
    assert said == {
        "output": str(output),
        "event_id": event_id_at(store, 42),
        "seq": 42,
        "leaf_hash": entry.leaf_hash.hex(),
        "hashes": 9,
        "origin": store.origin(),
        "size": 301,
        "root": parse(output.read_bytes()).checkpoint().root.hex(),
        "signatures_checked": False,
    }


def test_an_entry_that_no_checkpoint_covers_is_not_proved_and_the_remedy_is_named(log, capsys):
    store, _key, _signed, output = log

    assert main(["audit", "prove", event_id_at(store, 305), "--output", str(output)]) == 1

    said = capsys.readouterr().err
    assert "no checkpoint covers entry 305 yet (it covers 301 entries)" in said
    assert "cryotrail audit sign" in said and "cryotrail audit checkpoint" in said
    assert not output.exists()


def test_without_any_checkpoint_nothing_is_proved(
    audit_store, store_url, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    Writer(audit_store).append([record(0)])
    output = tmp_path / "event.tlog-proof"

    assert main(["audit", "prove", event_id_at(audit_store, 1), "--output", str(output)]) == 1

    assert "no checkpoint covers entry 1 yet (there is none)" in capsys.readouterr().err
    assert not output.exists()


def test_a_checkpoint_given_as_a_file_is_used_instead(log, tmp_path):
    store, key, _signed, output = log
    newer = checkpoint(key, store)
    (tmp_path / "checkpoint").write_bytes(newer.to_bytes())
    given = ["--checkpoint", str(tmp_path / "checkpoint")]

    assert main(["audit", "prove", event_id_at(store, 305), "--output", str(output), *given]) == 0

    proof = parse(output.read_bytes())
    assert proof.checkpoint_note == newer.to_bytes()
    assert proof.verify(computed_leaf(entry_at(store, 305))).size == 311


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lambda origin, root: Checkpoint("another.example/log", 301, root), "another.example"),
        (lambda origin, root: Checkpoint(origin, 301, bytes(32)), "do not lead from entry 42"),
        (lambda origin, root: Checkpoint(origin, 40, root), "it covers 40 entries"),
        (lambda origin, root: Checkpoint(origin, 9999, root), "the log has 311 entries, not 9999"),
    ],
)
def test_a_checkpoint_of_another_log_or_history_is_refused(log, tmp_path, capsys, said, words):
    store, _key, _signed, output = log
    given = said(store.origin(), store.head().root)
    signed = LogKey.create(given.origin).sign(given.to_text(), 0)
    (tmp_path / "checkpoint").write_bytes(signed.to_bytes())
    options = ["--checkpoint", str(tmp_path / "checkpoint")]

    assert main(["audit", "prove", event_id_at(store, 42), "--output", str(output), *options]) == 1

    assert words in capsys.readouterr().err
    assert not output.exists()


def test_a_file_that_is_no_checkpoint_is_refused(log, tmp_path):
    store, _key, _signed, output = log
    (tmp_path / "checkpoint").write_bytes(b"no note\n")
    given = ["--checkpoint", str(tmp_path / "checkpoint")]

    assert main(["audit", "prove", event_id_at(store, 42), "--output", str(output), *given]) == 1
    assert not output.exists()


def test_an_event_that_is_not_there_is_refused(log, capsys):
    _store, _key, _signed, output = log
    unknown = "01997b6e-8d4b-7c11-b1c3-2f1d8a4e5f60"

    assert main(["audit", "prove", unknown, "--output", str(output)]) == 1
    assert f"no entry has the event id {unknown}" in capsys.readouterr().err


@pytest.mark.parametrize("column", ["raw", "kafka_headers", "leaf_hash"])
def test_an_entry_whose_bytes_were_changed_is_not_proved(log, store_url, capsys, column):
    """The stored hashes alone would still give a proof: the entry is hashed again first."""
    store, _key, _signed, output = log
    event_id = event_id_at(store, 300)  # beyond the last full tile: its leaf is read from entry
    with tables_of(store_url) as tables:
        tables.drop_guards()
        tables.execute(f"update entry set {column} = %s where seq = 300", (b"\0" * 32,))

    wanted = 0 if column == "leaf_hash" else 1
    assert main(["audit", "prove", event_id, "--output", str(output)]) == wanted
    if wanted:
        assert "do not lead from entry 300 to the root" in capsys.readouterr().err
        assert not output.exists()
