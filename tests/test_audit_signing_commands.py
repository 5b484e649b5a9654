"""``cryotrail audit keys, sign, checkpoint, witness, anchor``: what they print, write and refuse."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from audit_records import Writer, filled_store, record
from signed_logs import ORIGIN, SignedLog
from waiting import until

from cryotrail import log_signing
from cryotrail.main import main
from cryotrail.settings import load_settings
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey
from cryotrail_audit.checkpoints.memory import MemoryFile
from cryotrail_audit.store import migrate, open_store


def made_home(url, monkeypatch, folder):
    """A home whose log has entries and a key."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(folder / "home"))
    filled_store(url)
    assert main(["audit", "keys", "create"]) == 0
    return folder / "home"


@pytest.fixture
def home(sqlite_url, monkeypatch, tmp_path):
    """A home with an SQLite store."""
    return made_home(sqlite_url, monkeypatch, tmp_path)


@pytest.fixture
def home_on_either(store_url, monkeypatch, tmp_path):
    """A home whose store is on each database in turn."""
    return made_home(store_url, monkeypatch, tmp_path)


@pytest.fixture
def printed(capsys):
    """Runs ``cryotrail audit …`` with ``--json``; what it printed."""

    def run(*arguments, exit_code=0):
        capsys.readouterr()
        assert main(["audit", *map(str, arguments), "--json"]) == exit_code
        return json.loads(capsys.readouterr().out)

    return run


def test_keys_create_if_absent_leaves_the_key_that_is_there(home, printed):
    before = (home / "signer" / "log.key").read_bytes()

    made = printed("keys", "create", "--if-absent")

    assert (home / "signer" / "log.key").read_bytes() == before
    assert made["fingerprint"] == printed("keys", "show")["fingerprint"]
    assert main(["audit", "keys", "create"]) == 1, "without it, a key is never made anew"


def test_keys_create_makes_files_and_prints_the_fingerprint(home, printed, capsys):
    signer = home / "signer"
    shown = printed("keys", "show")

    assert {file.name for file in signer.iterdir()} == {
        "log.key", "log.pub", "log.memory.json", "log.memory.json.lock",
    }  # fmt: skip
    assert (signer / "log.key").stat().st_mode & 0o777 == 0o600
    assert shown["name"] == ORIGIN
    assert shown["fingerprint"] == PinnedKey.read(signer / "log.pub").fingerprint
    assert main(["audit", "keys", "create"]) == 1
    assert "signed before" in capsys.readouterr().err


def test_sign_once_signs_what_is_there(home_on_either, printed):
    signed = printed("sign", "--once")

    assert (signed["size"], signed["heads"]) == (17, [])
    assert signed["outside_anchor"] == "no outside anchor"
    assert printed("sign", "--once", "--full")["root"] == signed["root"]


def test_checkpoint_signs_with_the_key_and_takes_the_newest_without(home, printed, tmp_path):
    files = ["--output", tmp_path / "now.note", "--batches-output", tmp_path / "batches.note"]
    signed = printed("checkpoint", *files)
    (home / "signer" / "log.key").rename(tmp_path / "log.key")
    later = printed("checkpoint", "--output", tmp_path / "later.note")

    pinned = PinnedKey.read(home / "signer" / "log.pub")
    for name in ("now.note", "batches.note", "later.note"):
        assert len(pinned.verify(notes.parse((tmp_path / name).read_bytes()))) == 2
    assert (signed["signed_now"], later["signed_now"]) == (True, False)
    assert later["root"] == signed["root"]
    assert (tmp_path / "later.note").read_bytes() == (tmp_path / "now.note").read_bytes()


def test_checkpoint_without_a_key_and_without_a_signature_says_so(sqlite_url, monkeypatch, capsys,
                                                                  tmp_path):  # fmt: skip
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))

    assert main(["audit", "checkpoint", "--output", str(tmp_path / "now.note")]) == 1
    assert "no signed checkpoint" in capsys.readouterr().err
    assert main(["audit", "sign", "--once"]) == 1
    assert "audit keys create" in capsys.readouterr().err


def test_a_lost_memory_is_refused_until_a_checkpoint_is_adopted(home, printed, capsys, tmp_path):
    printed("checkpoint", "--output", tmp_path / "held.note")
    (home / "signer" / "log.memory.json").unlink()

    assert main(["audit", "sign", "--once"]) == 1
    assert "--adopt" in capsys.readouterr().err
    assert printed("sign", "--adopt", tmp_path / "held.note")["size"] == 17
    assert printed("sign", "--once")["size"] == 17


def test_a_witness_cosigns_from_a_folder_of_its_own(home, printed, monkeypatch, tmp_path):
    printed("sign", "--once")
    log_key = home / "signer" / "log.pub"
    monkeypatch.setenv("CRYOTRAIL_SIGNER_STATE_DIR", str(tmp_path / "quality"))
    printed("keys", "create", "--witness", "witness.example/quality")

    cosigned = printed("witness", "--log-key", log_key, "--once")

    assert cosigned["signed_by"] == [ORIGIN, "witness.example/quality"]
    assert {file.name for file in (tmp_path / "quality").iterdir()} >= {"witness.key"}


def test_anchors_of_the_settings_are_run_and_shown(home, printed, monkeypatch, tmp_path):
    (tmp_path / "worm").mkdir()
    assert printed("anchor", "status") == {"outside_anchor": "no outside anchor", "anchors": []}
    printed("sign", "--once")
    monkeypatch.setenv("CRYOTRAIL_ANCHORS", f"file:{tmp_path / 'worm'}, file:{tmp_path / 'no'}")

    ran = printed("anchor", "run", exit_code=1)

    assert [state["size"] for state in ran["anchors"]] == [17, None]
    assert "anchored outside at size 17" in ran["outside_anchor"]
    assert printed("anchor", "status") == ran
    assert (tmp_path / "worm" / "17.note").exists()


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "cryotrail.main", "audit", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def test_the_signer_signs_an_end_at_once_and_ends_with_a_signal(store_url, home_on_either):
    home = home_on_either
    log = SignedLog(store_url, Path(home / "signer"), LogKey.read(home / "signer" / "log.key"))
    process = started("sign")
    try:
        until(lambda: log.signed_sizes() == [17])
        for _ in range(15):
            next(log._offsets)
        log.append(2, event_type="ProcedureEnded")
        began = time.monotonic()
        until(lambda: log.signed_sizes() == [19, 17])
        assert time.monotonic() - began < 20
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "no outside anchor" in said and "signed: 19 entries, heads of 2" in said
    assert record(15).procedure_id != record(16).procedure_id


def test_a_signer_that_refuses_goes_on_saying_so(sqlite_url, home):
    log = SignedLog(sqlite_url, Path(home / "signer"), LogKey.read(home / "signer" / "log.key"))
    log.sign()
    log.cut_to(2)
    process = started("sign")
    try:
        while "NOT SIGNED" not in (line := process.stderr.readline()):
            assert line, "the signer ended"
        assert "shorter than what was signed" in line
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def settings_of(home):
    return load_settings({"CRYOTRAIL_HOME": str(home)})


def test_a_home_of_its_own_gets_a_key_once(tmp_path, capsys):
    settings = settings_of(tmp_path)
    origin = migrate(settings.audit_url)

    assert log_signing.ensure_home_key(settings, origin)
    key = LogKey.read(tmp_path / "signer" / "log.key")
    assert log_signing.BESIDE_THE_STORE in capsys.readouterr().err
    assert log_signing.ensure_home_key(settings, origin)

    assert LogKey.read(tmp_path / "signer" / "log.key") == key
    assert key.name == origin


def test_a_home_whose_key_is_elsewhere_gets_none(tmp_path, capsys):
    own = settings_of(tmp_path)
    origin = migrate(own.audit_url)
    elsewhere = load_settings(
        {"CRYOTRAIL_HOME": str(tmp_path), "CRYOTRAIL_LOG_KEY_FILE": str(tmp_path / "x.key")}
    )

    assert not log_signing.ensure_home_key(elsewhere, origin)
    assert "not signed" in capsys.readouterr().err
    assert not (tmp_path / "x.key").exists()

    MemoryFile(tmp_path / "signer" / "log.memory.json").begin(origin)
    assert not log_signing.ensure_home_key(own, origin)


def test_a_store_that_was_replaced_beneath_its_key_is_named(tmp_path):
    settings = settings_of(tmp_path)
    log_signing.ensure_home_key(settings, migrate(settings.audit_url))
    other = replace(settings, audit_url=f"sqlite:///{tmp_path / 'other.sqlite3'}")

    with pytest.raises(SigningRefused, match=r"the key .* is of"):
        log_signing.ensure_home_key(other, migrate(other.audit_url))


def test_anchoring_without_places_says_how_to_name_one(home, printed, capsys):
    printed("sign", "--once")

    assert main(["audit", "anchor", "run"]) == 1

    assert "CRYOTRAIL_ANCHORS" in capsys.readouterr().err


def test_an_anchor_that_failed_is_said_once_and_times_are_readable(
    home, printed, monkeypatch, tmp_path, capsys, caplog
):
    (tmp_path / "worm").mkdir()
    printed("sign", "--once")
    monkeypatch.setenv("CRYOTRAIL_ANCHORS", f"file:{tmp_path / 'worm'}, file:{tmp_path / 'no'}")
    capsys.readouterr()

    assert main(["audit", "anchor", "run"]) == 1

    said = "".join(capsys.readouterr()) + caplog.text
    (problem,) = [a["problem"] for a in printed("anchor", "status")["anchors"] if a["problem"]]
    assert said.count(problem) == 1
    assert re.search(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", said) and "kept_s" not in said


def test_a_witness_without_a_key_is_told_to_make_its_own(home, capsys):
    assert main(["audit", "witness", "--log-key", str(home / "signer" / "log.pub"), "--once"]) == 1

    assert "keys create --witness NAME" in capsys.readouterr().err


def test_a_bad_checkpoint_file_is_named(home, printed, capsys, tmp_path):
    printed("checkpoint", "--output", tmp_path / "good.note")
    (tmp_path / "bad.note").write_text("rubbish")
    (tmp_path / "other.pub").write_text(LogKey.create(ORIGIN).pinned.to_text())
    good, bad = (["--checkpoint", str(tmp_path / name)] for name in ("good.note", "bad.note"))

    assert main(["audit", "verify", *good, *bad]) == 1
    assert f"{tmp_path / 'bad.note'} is no signed checkpoint" in capsys.readouterr().err
    assert main(["audit", "verify", *good, "--log-key", str(tmp_path / "other.pub")]) == 1
    assert f"the checkpoint {tmp_path / 'good.note'}: " in capsys.readouterr().err


def test_the_verdict_of_since_last_says_what_was_not_read(home, capsys):
    with closing(open_store(os.environ["CRYOTRAIL_AUDIT_URL"])) as store:
        Writer(store).append([record(offset) for offset in range(100, 400)])
    assert main(["audit", "verify", "--since-last"]) == 0
    assert "not read" not in capsys.readouterr().out

    assert main(["audit", "verify", "--since-last"]) == 0

    (verdict,) = capsys.readouterr().out.splitlines()
    assert verdict.endswith("; entries before 256 were not read in this run")
