"""What stands in a file that ``audit checkpoint`` or ``audit prove`` is to write: never lost."""

from contextlib import closing
from uuid import UUID

import pytest
from signed_logs import ORIGIN, SignedLog
from store_tables import tables_of

from cryotrail.main import main
from cryotrail_audit.checkpoints import outside_file
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import CheckpointError
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.store import open_store


@pytest.fixture
def log(store_url, tmp_path, monkeypatch):
    """A log that was signed at 6 entries and again at 11."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    made = SignedLog(store_url, tmp_path)
    made.append(5)
    made.early = made.sign()
    made.append(5)
    made.late = made.sign()
    return made


def test_a_checkpoint_is_replaced_by_one_that_extends_it(log, tmp_path):
    file = tmp_path / "held.note"
    for signed in (log.early, log.late, log.late):
        outside_file.replace(log.url, file, signed.note.to_bytes())
        assert file.read_bytes() == signed.note.to_bytes()


def test_that_of_the_batches_too(log, tmp_path):
    file = tmp_path / "held.note"
    for signed in (log.early, log.late):
        outside_file.replace(log.url, file, signed.batches_note.to_bytes())
    forged = Checkpoint(f"{ORIGIN}/batches", 1, bytes(32)).to_text()
    file.write_bytes(log.key.sign(forged, 0).to_bytes())

    with pytest.raises(CheckpointError, match="does not extend"):
        outside_file.replace(log.url, file, log.late.batches_note.to_bytes())


def test_a_smaller_checkpoint_takes_no_larger_ones_place(log, tmp_path):
    file = tmp_path / "held.note"
    file.write_bytes(log.late.note.to_bytes())

    with pytest.raises(CheckpointError, match=r"of 11 entries, the log has only 6.*rolled back"):
        outside_file.replace(log.url, file, log.early.note.to_bytes())

    assert file.read_bytes() == log.late.note.to_bytes()


@pytest.mark.parametrize("size", [6, 11])
def test_a_checkpoint_of_another_past_is_kept(log, tmp_path, size):
    file = tmp_path / "held.note"
    held = log.key.sign(Checkpoint(ORIGIN, size, bytes(32)).to_text(), 0).to_bytes()
    file.write_bytes(held)

    with pytest.raises(CheckpointError, match="rewritten"):
        outside_file.replace(log.url, file, log.late.note.to_bytes())

    assert file.read_bytes() == held


@pytest.mark.parametrize("option", ["--output", "--batches-output"])
def test_what_is_no_checkpoint_of_the_log_is_not_overwritten(log, tmp_path, capsys, option):
    key = tmp_path / "log.key"
    key.write_text(log.key.to_text())
    of_another = LogKey.create("another.example/log").sign(
        Checkpoint("another.example/log", 1, bytes(32)).to_text(), 0
    )
    (tmp_path / "other.note").write_bytes(of_another.to_bytes())
    for name in ("log.key", "other.note"):
        before = (tmp_path / name).read_bytes()
        more = [] if option == "--output" else ["--output", str(tmp_path / "new.note")]
        assert main(["audit", "checkpoint", *more, option, str(tmp_path / name)]) == 1
        assert "not overwritten" in capsys.readouterr().err
        assert (tmp_path / name).read_bytes() == before
    assert not (tmp_path / "new.note").exists()


def test_a_log_that_was_rolled_back_leaves_the_held_checkpoint(log, tmp_path, capsys):
    file = tmp_path / "held.note"
    assert main(["audit", "checkpoint", "--output", str(file)]) == 0
    before = file.read_bytes()
    log.cut_to(2)
    with tables_of(log.url) as tables:
        tables.execute("delete from checkpoint where tree_size > 6")

    assert main(["audit", "checkpoint", "--output", str(file)]) == 1

    assert "rolled back?" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_prove_overwrites_nothing_but_a_proof(log, tmp_path, capsys):
    with closing(open_store(log.url)) as store:
        entry = next(store.entries(after_seq=2))[0]
    event_id = str(UUID(bytes=entry.event_id))
    proof, key = tmp_path / "event.tlog-proof", tmp_path / "log.key"
    key.write_text(log.key.to_text())

    assert main(["audit", "prove", event_id, "--output", str(key)]) == 1
    assert "not overwritten" in capsys.readouterr().err
    assert key.read_text() == log.key.to_text()
    for _ in range(2):
        assert main(["audit", "prove", event_id, "--output", str(proof)]) == 0


def test_prove_checks_the_signatures_with_the_logs_key(log, tmp_path, capsys):
    with closing(open_store(log.url)) as store:
        entry = next(store.entries(after_seq=2))[0]
    (tmp_path / "log.pub").write_text(log.key.pinned.to_text())
    (tmp_path / "other.pub").write_text(LogKey.create(ORIGIN).pinned.to_text())
    (tmp_path / "held.note").write_bytes(log.early.note.to_bytes())
    prove = ["audit", "prove", str(UUID(bytes=entry.event_id))]
    prove += ["--output", str(tmp_path / "event.tlog-proof"), "--log-key"]

    assert main([*prove, str(tmp_path / "log.pub")]) == 0
    assert "is signed by the key of" in capsys.readouterr().err
    assert main([*prove, str(tmp_path / "other.pub")]) == 1
    held = ["--checkpoint", str(tmp_path / "held.note")]
    assert main([*prove, str(tmp_path / "other.pub"), *held]) == 1
    assert "no signature of the Ed25519 key" in capsys.readouterr().err
