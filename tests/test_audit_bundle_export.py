"""``cryotrail audit export``: what it writes, on both databases, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from event_samples import freeze_started
from exported_bundles import ORIGIN, judge, read, sign_head
from handmade_case import Case
from recorded_events import EventRecorder
from sealed_case import PRODUCER, SealedCase, record_sealed
from store_tables import TABLES, tables_of

from cryotrail.main import main
from cryotrail_audit.bundle.errors import ExportRefused
from cryotrail_audit.bundle.export import export_procedure
from cryotrail_audit.bundle.readable import readable_event
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.decoded import decoded_event
from cryotrail_audit.errors import ProcedureNotFound
from cryotrail_audit.records import CONFLICT
from cryotrail_audit.store import open_store


@pytest.fixture
def sealed(store_url: str) -> SealedCase:
    """A sealed procedure in the store."""
    with closing(open_store(store_url)) as store:
        return record_sealed(store)


@pytest.fixture
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose settings name the store."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_with_the_log_key_at_hand_a_bundle_is_complete_up_to_now(
    sealed: SealedCase, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "keys", "create", "--json"]) == 0
    public_key = Path(json.loads(capsys.readouterr().out)["public_key_file"]).read_bytes()
    folder = tmp_path / "bundle"

    code = main(["audit", "export", "CRYO-0001", "--output", str(folder), "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (code, said["entries"], said["entries_since"]) == (0, 13, 0)
    assert said["procedure_id"] == str(sealed.procedure_id)
    found = judge(folder, public_key)
    assert found["result"] == "proved"
    assert found == said["verified"]
    assert sum(len(data) for data in read(folder).values()) < said["bytes"]


def test_the_words_of_the_command_name_fingerprint_and_answer(
    sealed: SealedCase, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "keys", "create", "--json"]) == 0
    fingerprint = json.loads(capsys.readouterr().out)["fingerprint"]

    assert (
        main(["audit", "export", str(sealed.procedure_id), "--output", str(tmp_path / "bundle")])
        == 0
    )

    said = capsys.readouterr()
    assert "proved: complete up to size" in said.out
    assert fingerprint in said.err


def test_without_a_head_the_bundle_says_that_completeness_is_not_proved(
    sealed: SealedCase, store_url: str, tmp_path: Path
) -> None:
    key = LogKey.create(ORIGIN)
    sign_head(store_url, key)

    made = export_procedure(store_url, "CRYO-0001", tmp_path / "bundle", key.pinned)

    assert made.found["words"] == "inclusion proved, completeness not proved"
    assert "completeness | not proved: no signed head" in (
        tmp_path / "bundle" / "README.md"
    ).read_text(encoding="utf-8")


def test_what_is_later_than_the_checkpoint_is_left_out_and_said(
    sealed: SealedCase, store_url: str, tmp_path: Path
) -> None:
    key = LogKey.create(ORIGIN)
    sign_head(store_url, key, sealed.procedure_id)
    with closing(open_store(store_url)) as store:
        recorder = EventRecorder(store)
        recorder._offset = 100
        recorder.record(sealed.case.void(sealed.day[2]))

    made = export_procedure(store_url, "CRYO-0001", tmp_path / "bundle", key.pinned)

    assert (made.entry_count, made.entries_since) == (13, 1)
    assert made.found["result"] == "proved"
    text = (tmp_path / "bundle" / "README.md").read_text(encoding="utf-8")
    assert "Recorded after the checkpoint, so not in this folder: 1." in text


def test_entries_after_the_newest_head_are_included_and_not_called_complete(
    sealed: SealedCase, store_url: str, tmp_path: Path
) -> None:
    key = LogKey.create(ORIGIN)
    sign_head(store_url, key, sealed.procedure_id)
    with closing(open_store(store_url)) as store:
        recorder = EventRecorder(store)
        recorder._offset = 100
        recorder.record(sealed.case.void(sealed.day[2]))
    sign_head(store_url, key)

    made = export_procedure(store_url, "CRYO-0001", tmp_path / "bundle", key.pinned)

    assert made.entry_count == 14
    assert made.found["words"].endswith("; recorded since: 1, their completeness not proved")


def test_exporting_changes_nothing_in_the_store(
    sealed: SealedCase, store_url: str, tmp_path: Path
) -> None:
    key = LogKey.create(ORIGIN)
    sign_head(store_url, key, sealed.procedure_id)

    def rows() -> list[object]:
        with tables_of(store_url) as tables:
            return [tables.execute(f"select count(*) from {name}") for name in TABLES]

    before = rows()

    export_procedure(store_url, "CRYO-0001", tmp_path / "bundle", key.pinned)

    assert rows() == before


def test_the_readable_copy_says_what_the_store_shows(sealed: SealedCase, store_url: str) -> None:
    with closing(open_store(store_url)) as store:
        schemas = store.schemas()
        entries = [
            entry
            for several in store.procedure_entries(sealed.procedure_id)
            for entry in several
            if entry.kind <= CONFLICT
        ]

        assert len(entries) == 12
        for entry in entries:
            assert readable_event(entry, schemas) == decoded_event(entry, schemas)


@pytest.mark.parametrize("there", ["a file", "a folder with something in it", "a link"])
def test_a_target_in_use_is_refused_and_left_alone(
    sqlite_target: tuple[str, LogKey], tmp_path: Path, there: str
) -> None:
    target = tmp_path / "bundle"
    if there == "a file":
        target.write_text("mine")
    elif there == "a link":
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to(tmp_path / "elsewhere")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    url, key = sqlite_target

    with pytest.raises(ExportRefused, match="not an empty folder"):
        export_procedure(url, "CRYO-0001", target, key.pinned)

    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.fixture
def sqlite_target(sqlite_url: str) -> tuple[str, LogKey]:
    """A store with a head of the procedure, and the log's key."""
    key = LogKey.create(ORIGIN)
    with closing(open_store(sqlite_url)) as store:
        sealed = record_sealed(store)
    sign_head(sqlite_url, key, sealed.procedure_id)
    return sqlite_url, key


def test_an_empty_folder_will_do(sqlite_target: tuple[str, LogKey], tmp_path: Path) -> None:
    url, key = sqlite_target
    (tmp_path / "bundle").mkdir()

    export_procedure(url, "CRYO-0001", tmp_path / "bundle", key.pinned)

    assert judge(tmp_path / "bundle")["result"] == "consistent"


def test_an_entry_that_was_changed_past_the_guards_is_not_exported(
    store_url: str, sealed: SealedCase, tmp_path: Path
) -> None:
    key = LogKey.create(ORIGIN)
    sign_head(store_url, key, sealed.procedure_id)
    with tables_of(store_url) as tables:
        tables.drop_guards()
        tables.execute("update entry set reason = 'forged' where procedure_seq = 3 and kind = 0")
    (tmp_path / "out").mkdir()

    with pytest.raises(ExportRefused, match=r"entries.jsonl, line 3: the columns do not give"):
        export_procedure(store_url, "CRYO-0001", tmp_path / "out" / "bundle", key.pinned)

    assert list((tmp_path / "out").iterdir()) == []


def test_what_another_key_signed_is_not_exported(
    sqlite_target: tuple[str, LogKey], tmp_path: Path
) -> None:
    url, _key = sqlite_target

    with pytest.raises(ExportRefused, match="no checkpoint that the key"):
        export_procedure(url, "CRYO-0001", tmp_path / "b", LogKey.create(ORIGIN).pinned)


def test_an_unknown_procedure_and_an_ambiguous_label_are_refused(
    store_url: str, tmp_path: Path
) -> None:
    key = LogKey.create(ORIGIN)
    first, second = Case(1), Case(2)
    with closing(open_store(store_url)) as store:
        EventRecorder(store).record(
            first.scheduled(), second.scheduled(procedure_label=first.label), freeze_started()
        )
    sign_head(store_url, key)

    for wanted, message in (
        ("CRYO-0001", "2 procedures were scheduled"),
        ("CRYO-0009", "0 procedures were scheduled"),
        ("00000000-0000-4000-8000-000000000009", "nothing is recorded"),
    ):
        with pytest.raises(ProcedureNotFound, match=message):
            export_procedure(store_url, wanted, tmp_path / "bundle", key.pinned)

    assert not (tmp_path / "bundle").exists()


def test_a_key_file_is_needed(
    sealed: SealedCase, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "export", "CRYO-0001", "--output", str(tmp_path / "bundle")]) == 1

    assert "public key is not here" in capsys.readouterr().err


def test_a_label_does_not_format_the_readme(store_url: str, tmp_path: Path) -> None:
    key, case = LogKey.create(ORIGIN), Case(1)
    with closing(open_store(store_url)) as store:
        EventRecorder(store).record(case.scheduled(procedure_label="`x`|\n# [y](z)<b>"))
    sign_head(store_url, key)

    export_procedure(store_url, str(case.procedure_id), tmp_path / "bundle", key.pinned)

    text = (tmp_path / "bundle" / "README.md").read_text(encoding="utf-8")
    assert "`, label `·x···# ·y·(z)·b·` |" in text


def test_a_seal_that_does_not_fit_is_exported_as_a_finding_in_the_last_line(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    sealed = SealedCase()
    with closing(open_store(sqlite_url)) as store:
        EventRecorder(store, PRODUCER).record(*sealed.day[:-1], sealed.seal())
    assert main(["audit", "keys", "create", "--json"]) == 0
    public_key = json.loads(capsys.readouterr().out)["public_key_file"]
    folder = tmp_path / "bundle"

    assert main(["audit", "export", "CRYO-0001", "--output", str(folder)]) == 0
    said = capsys.readouterr().out
    ran = subprocess.run(
        [sys.executable, "-I", folder / "verify.py", "--log-key", public_key],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "origin: FINDING missing 1" in said
    last = ran.stdout.splitlines()[-1]
    assert ran.returncode == 1
    assert last.startswith("proved: complete up to size")
    assert last.endswith("; origin: FINDING missing 1")
