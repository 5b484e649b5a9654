"""The whole story of a restore by the commands that an operator runs, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from backups import Backup, backup
from continued_log import entries
from handmade_case import Case
from recorded_events import EventRecorder

from cryotrail.main import main
from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.store import open_store

FIRST, SECOND = Case(1).whole(), Case(2).whole()
KEPT, LOST = FIRST[:5], [*FIRST[5:], *SECOND]

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def home(store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home whose store is on each database in turn, with a key for its log."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    record(store_url, 0, KEPT)
    assert main(["audit", "keys", "create"]) == 0
    return tmp_path / "home"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``cryotrail audit … --json``; what it printed, or what it refused."""

    def run(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["audit", *map(str, arguments), "--json"]) == exit_code
        out, error = capsys.readouterr()
        found: dict[str, Any] = json.loads(out) if out else {"refused": error}
        return found

    return run


@pytest.fixture
def restored(home: Path, store_url: str, printed: Run, tmp_path: Path) -> Iterator[Backup]:
    """The store after signing, a backup, further events, signing again, and the restore."""
    printed("sign", "--once")
    printed("checkpoint", "--output", tmp_path / "early.note")
    with backup(store_url) as taken:
        record(store_url, len(KEPT), LOST)
        printed("sign", "--once")
        printed("checkpoint", "--output", tmp_path / "last.note")
        taken.restore()
        yield taken


def record(url: str, offset: int, events: list[Any]) -> None:
    with closing(open_store(url)) as store:
        EventRecorder(store, first_offset=offset).record(*events)


def move_old_key(home: Path) -> Path:
    """What the refusal of ``keys create`` tells to do; where the public key is then."""
    (home / "signer").rename(home / "signer-of-the-old-log")
    return home / "signer-of-the-old-log" / "log.pub"


@pytest.mark.usefixtures("restored")
def test_the_whole_story(home: Path, store_url: str, printed: Run, tmp_path: Path) -> None:
    early, last = tmp_path / "early.note", tmp_path / "last.note"
    old_key = home / "signer" / "log.pub"

    refused = printed("sign", "--once", exit_code=1)["refused"]
    assert "shorter than what was signed" in refused and "audit continue" in refused
    broken = printed("verify", "--checkpoint", last, "--log-key", old_key, exit_code=1)
    assert "shorter than signed" in broken["reason"]

    made = printed(
        "continue", "--from", last, "--log-key", old_key, "--reason", "disk failed at 02:10"
    )
    assert made["origin"] == made["continues"] + "/2"
    assert made["restored_size"] < made["signed_size"] and made["signature_checked"]
    assert made["extends_where"] == "stored"

    assert "keys create" in printed("sign", "--once", exit_code=1)["refused"]
    assert "keep them" in printed("keys", "create", exit_code=1)["refused"]
    old_key = move_old_key(home)
    assert printed("keys", "create")["name"] == made["origin"]

    record(store_url, len(KEPT), LOST)
    whole = printed("verify")
    assert (whole["result"], whole["reason"]) == ("intact", None)
    assert whole["earlier_size"] == made["restored_size"]
    signed = printed("sign", "--once")
    assert signed["origin"] == made["origin"]
    procedures = {str(case[0].header.procedure_id) for case in (FIRST, SECOND)}
    assert set(signed["heads"]) == procedures
    printed("sign", "--once", "--full")
    printed("checkpoint", "--output", tmp_path / "new.note")
    proved = printed("verify", "--checkpoint", tmp_path / "new.note", "--checkpoint", early)
    assert proved["result"] == "proved"
    assert printed("verify", "--log-key", home / "signer" / "log.pub")["result"] == "intact"
    lost = printed("verify", "--checkpoint", last, exit_code=1)
    assert "shorter than signed" in lost["reason"]


@pytest.mark.usefixtures("restored")
def test_a_bundle_is_of_one_log(home: Path, store_url: str, printed: Run, tmp_path: Path) -> None:
    printed("continue", "--from", tmp_path / "last.note", "--reason", "disk failed")
    old_key = move_old_key(home)
    printed("keys", "create")
    of_both, of_new = (str(case[0].header.procedure_id) for case in (FIRST, SECOND))
    refused = printed("export", of_both, "--output", tmp_path / "gone", exit_code=1)["refused"]
    assert "the whole procedure is in the log" in refused and "--log-key OLD" in refused
    record(store_url, len(KEPT), LOST)
    printed("sign", "--once")

    whole = printed("export", of_new, "--output", tmp_path / "new")
    assert whole["verified"]["words"].startswith("proved")
    refused = printed("export", of_both, "--output", tmp_path / "both", exit_code=1)["refused"]
    assert "a bundle is of one log" in refused
    old = printed("export", of_both, "--output", tmp_path / "old", "--log-key", old_key)
    assert old["entries"] == len(KEPT)
    for event in (KEPT[0], LOST[0]):
        proof = printed("prove", event.header.event_id, "--output", tmp_path / "one.tlog-proof")
        assert proof["seq"] >= 0
        (tmp_path / "one.tlog-proof").unlink()


@pytest.mark.usefixtures("restored")
def test_commands_name_the_log_where_numbers_differ(
    home: Path, store_url: str, printed: Run, tmp_path: Path
) -> None:
    origin = printed("continue", "--from", tmp_path / "last.note", "--reason", "cut")["origin"]
    with closing(open_store(store_url)) as store:
        recorder = EventRecorder(store, first_offset=len(KEPT))
        item = recorder.incoming(LOST[0])
        unread = item._replace(
            event_id=bytes(16), schema_sha256=None, content_hash=bytes(32), reason="truncated"
        )
        recorder.append([(QUARANTINED, unread)])
        (entry,) = entries(store, kinds=(QUARANTINED,))
        place = store.place_of(entry)
    assert place > entry.seq

    (row,) = printed("quarantine", "list")  # type: ignore[misc]
    assert (row["seq"], row["log"], row["log_seq"]) == (place, origin, entry.seq)
    shown = printed("quarantine", "show", place)
    assert (shown["seq"], shown["log_seq"]) == (place, entry.seq)
    assert (
        "is not in quarantine" in printed("quarantine", "show", entry.seq, exit_code=1)["refused"]
    )
    (done,) = printed("quarantine", "replay", place)  # type: ignore[misc]
    assert (done["source_seq"], done["outcome"]) == (place, "event")
    event = printed("show", LOST[0].header.event_id)
    assert event["log"] == origin and event["source_seq"] == place
    assert event["seq"] == done["seq"] == place + 1
    first = printed("show", KEPT[0].header.event_id, "--as-of-seq", place)
    assert "log" not in first and first["known"]["tree_size"] == place + 1
    assert main(["audit", "quarantine", "list"]) == 0


@pytest.mark.usefixtures("restored")
def test_continue_says_in_words_what_is_not_known(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["audit", "continue", "--from", str(tmp_path / "last.note"), "--reason", "x"]

    assert main(command) == 0
    out, said = capsys.readouterr()
    assert "continues" in out and "signed entries" in out
    assert "which the database itself holds" in said and "signature not checked" in said
    assert main(command) == 1
    assert "was continued already" in capsys.readouterr().err


@pytest.mark.usefixtures("restored")
def test_an_entry_of_the_old_log_that_nothing_covers_has_a_true_remedy(
    home: Path, store_url: str, printed: Run, tmp_path: Path
) -> None:
    with closing(open_store(store_url)) as store:
        EventRecorder(store, first_offset=len(KEPT)).record(LOST[0])
    printed("continue", "--from", tmp_path / "last.note", "--reason", "disk failed")
    prove = ["prove", LOST[0].header.event_id, "--output", tmp_path / "one.tlog-proof"]

    refused = printed(*prove, exit_code=1)["refused"]

    assert "a log that has ended with a restore" in refused
    assert "--checkpoint FILE" in refused and "audit sign" not in refused
