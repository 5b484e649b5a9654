"""What somebody may do to a bundle who writes every file again: never complete, never proved."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from bundle_fixtures import BundledCase
from exported_bundles import (
    ORIGIN,
    as_lines,
    copied,
    exported,
    judge,
    judge_files,
    lines_of,
    read,
    with_new_manifest,
)
from sealed_case import SealedCase, record_sealed, say_key

from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.head import ProcedureHead, leaves_hash
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.store import open_store

PER_ENTRY = ("entries.jsonl", "events.jsonl")
Files = dict[str, bytes]


@pytest.fixture
def files(small_bundle: BundledCase) -> Files:
    """The files of a bundle, to be changed."""
    return dict(read(small_bundle.folder))


def without_entry(files: Files, number: int) -> Files:
    """An entry left out of all files; what could be renumbered is."""
    changed = dict(files)
    for name in PER_ENTRY:
        lines = lines_of(files[name])
        del lines[number - 1]
        changed[name] = as_lines(lines)
    return with_new_manifest(changed)


@pytest.mark.parametrize("number", range(1, 14))
@pytest.mark.parametrize("pinned", [True, False])
def test_with_an_entry_left_out_it_is_refused(
    small_bundle: BundledCase, files: Files, number: int, pinned: bool
) -> None:
    log_key = small_bundle.public_key if pinned else None

    found = judge_files(without_entry(files, number), log_key)

    assert found["result"] == "refused"
    assert found["file"].startswith(("entries.jsonl", "head.note", "log.jsonl"))


def test_with_the_last_entry_and_the_head_left_out_it_is_not_complete(
    small_bundle: BundledCase, files: Files
) -> None:
    del files["head.note"]

    found = judge_files(without_entry(files, 13), small_bundle.public_key)

    assert found["words"] == "inclusion proved, completeness not proved"
    assert found["result"] != "proved"


def test_a_head_of_fewer_entries_by_another_key_is_refused(
    small_bundle: BundledCase, files: Files
) -> None:
    leaves = [
        bytes.fromhex(json.loads(line)["columns"]["leaf_hash"])
        for line in lines_of(files["entries.jsonl"])
    ]
    procedure_id = small_bundle.sealed.procedure_id
    head = ProcedureHead(ORIGIN, procedure_id, 12, 26, leaves_hash(leaves[:12]), 1_790_000_000)
    files["head.note"] = LogKey.create(ORIGIN).sign(head.to_text(), 1_790_000_000).to_bytes()

    for log_key in (small_bundle.public_key, None):
        found = judge_files(without_entry(files, 13), log_key)

        assert (found["result"], found["file"]) == ("refused", "head.note")


def test_signed_again_by_another_key_it_is_refused_or_consistent_with_that_key_only(
    small_bundle: BundledCase, files: Files
) -> None:
    other = LogKey.create(ORIGIN)
    for name in ("checkpoint.note", "head.note"):
        text = notes.parse(files[name]).text
        files[name] = other.sign(text, 1_790_000_000).to_bytes()
    files["log-key.pub"] = other.pinned.to_text().encode()
    forged = with_new_manifest(files)

    pinned, alone = judge_files(forged, small_bundle.public_key), judge_files(forged)

    assert (pinned["result"], pinned["file"]) == ("refused", "checkpoint.note")
    assert alone["result"] == "consistent"
    assert alone["words"].startswith(f"consistent with key {other.pinned.fingerprint}")


@pytest.mark.parametrize("kept", [0, 1])
def test_one_of_the_two_signatures_is_not_enough(
    small_bundle: BundledCase, files: Files, kept: int
) -> None:
    for name in ("checkpoint.note", "head.note"):
        note = notes.parse(files[name])
        changed = files | {name: note._replace(signatures=(note.signatures[kept],)).to_bytes()}

        found = judge_files(with_new_manifest(changed), small_bundle.public_key)

        assert (found["result"], found["file"]) == ("refused", name)
        assert ("ML-DSA-44", "Ed25519")[kept] in found["reason"]


def test_the_line_of_a_stranger_changes_nothing(small_bundle: BundledCase, files: Files) -> None:
    note = notes.parse(files["checkpoint.note"])
    witness = LogKey.create("witness.example/1", witness=True)
    files["checkpoint.note"] = witness.cosign(note, 1_790_000_000).to_bytes()

    found = judge_files(with_new_manifest(files), small_bundle.public_key)

    assert found["result"] == "proved"


def test_exchanged_entries_are_refused(files: Files) -> None:
    for name in PER_ENTRY:
        lines = lines_of(files[name])
        lines[2], lines[3] = lines[3], lines[2]
        files[name] = as_lines(lines)

    found = judge_files(with_new_manifest(files))

    assert (found["result"], found["file"]) == ("refused", "entries.jsonl, line 4")


def test_an_entry_twice_is_refused(files: Files) -> None:
    for name in PER_ENTRY:
        lines = lines_of(files[name])
        files[name] = as_lines([*lines, lines[-1]])

    assert judge_files(with_new_manifest(files))["result"] == "refused"


@pytest.fixture(scope="module")
def other_bundle(
    new_sqlite_store: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, LogKey]:
    """The bundle of the same events in another log of the same name and of another key."""
    url, key = new_sqlite_store(), LogKey.create(ORIGIN)
    with closing(open_store(url)) as store:
        say_key(store, SealedCase(2).statement())
        sealed = record_sealed(store)
    return exported(url, sealed.procedure_id, tmp_path_factory.mktemp("other") / "b", key), key


@pytest.mark.parametrize("name", ["checkpoint.note", "head.note", "entries.jsonl", "log.jsonl"])
def test_a_file_of_another_log_is_refused(
    files: Files, other_bundle: tuple[Path, LogKey], name: str
) -> None:
    files[name] = read(other_bundle[0])[name]

    found = judge_files(with_new_manifest(files))

    assert (found["result"], found["file"].partition(",")[0]) == ("refused", name)


def test_the_head_of_another_procedure_is_refused(small_bundle: BundledCase, files: Files) -> None:
    said = notes.parse(files["head.note"]).text.split("\n")
    said[1] = str(UUID(int=1))
    files["head.note"] = small_bundle.log_key.sign("\n".join(said), 1_790_000_000).to_bytes()

    found = judge_files(with_new_manifest(files), small_bundle.public_key)

    assert (found["result"], found["file"]) == ("refused", "head.note")
    assert "another procedure" in found["reason"]


def test_a_head_that_lies_about_its_size_is_refused(
    small_bundle: BundledCase, files: Files
) -> None:
    said = notes.parse(files["head.note"]).text.split("\n")
    said[3] = "9"
    files["head.note"] = small_bundle.log_key.sign("\n".join(said), 1_790_000_000).to_bytes()

    assert judge_files(with_new_manifest(files))["file"] == "head.note"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (0, "tests.example/store/other"),
        (0, "other.example/store/procedure-heads"),
        (2, "013"),
        (2, "12"),
        (2, "14"),
        (4, "AAAA"),
        (5, "2026-02-30T00:00:00Z"),
        (5, "2026-01-01 00:00:00Z"),
        (5, "2026-01-01T00:00:00Z\nmore"),
    ],
)
def test_a_head_that_is_signed_and_not_well_formed_is_refused(
    small_bundle: BundledCase, files: Files, line: int, text: str
) -> None:
    said = notes.parse(files["head.note"]).text.split("\n")
    said[line] = text
    files["head.note"] = small_bundle.log_key.sign("\n".join(said), 1_790_000_000).to_bytes()

    assert judge_files(with_new_manifest(files))["file"] == "head.note"


@pytest.mark.parametrize(
    "text", ["other.example/store\n27\n{root}\n", "tests.example/store\n27\n{root}\nmore\n"]
)
def test_a_checkpoint_of_another_log_or_form_is_refused(
    small_bundle: BundledCase, files: Files, text: str
) -> None:
    root = notes.parse(files["checkpoint.note"]).text.split("\n")[2]
    note = small_bundle.log_key.sign(text.format(root=root), 1_790_000_000)
    files["checkpoint.note"] = note.to_bytes()

    assert judge_files(with_new_manifest(files))["file"] == "checkpoint.note"


def test_proofs_for_another_size_are_refused(small_bundle: BundledCase, files: Files) -> None:
    said = notes.parse(files["checkpoint.note"]).text.split("\n")
    said[1] = str(int(said[1]) - 1)
    files["checkpoint.note"] = small_bundle.log_key.sign("\n".join(said), 1_790_000_000).to_bytes()

    found = judge_files(with_new_manifest(files), small_bundle.public_key)

    assert (found["result"], found["file"].partition(",")[0]) == ("refused", "entries.jsonl")
    assert "inclusion proof" in found["reason"]


@pytest.mark.parametrize("change", ["drop", "add", "exchange", "flip", "other index"])
def test_a_changed_proof_is_refused(files: Files, change: str) -> None:
    lines = [json.loads(line) for line in lines_of(files["entries.jsonl"])]
    proof: list[str] = lines[4]["proof"]
    if change == "drop":
        del proof[0]
    elif change == "add":
        proof.append(proof[-1])
    elif change == "exchange":
        proof[0], proof[1] = proof[1], proof[0]
    elif change == "flip":
        proof[0] = proof[1]
    else:
        lines[4]["proof"] = lines[5]["proof"]
    files["entries.jsonl"] = as_lines([spelled(line) for line in lines])

    found = judge_files(with_new_manifest(files))

    assert (found["result"], found["file"]) == ("refused", "entries.jsonl, line 5")


def spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("name", ["entries.jsonl", "log.jsonl", "events.jsonl", "manifest.json"])
@pytest.mark.parametrize(
    ("spelled_so", "otherwise"),
    [(":", ": "), ('"', ' "'), ("e", "\\u0065"), ("{", '{"twice":1,"twice":1,'), ("\n", "\r\n")],
)
def test_json_in_another_spelling_is_refused(
    files: Files, name: str, spelled_so: str, otherwise: str
) -> None:
    text = files[name].decode()
    files[name] = text.replace(spelled_so, otherwise, 1).encode()

    found = judge_files(files if name == "manifest.json" else with_new_manifest(files))

    assert (found["result"], found["file"].partition(",")[0]) == ("refused", name)


@pytest.mark.parametrize(
    "change",
    [{"format": "another"}, {"files": []}, {"files": "reversed"}, {"procedure_id": "none"}],
)
def test_a_manifest_of_another_form_is_refused(files: Files, change: dict[str, Any]) -> None:
    manifest = json.loads(files["manifest.json"])
    del manifest["sha256"]
    if change == {"files": "reversed"}:
        change = {"files": dict(reversed(manifest["files"].items()))}
    said = manifest | change
    own = sha256(json.dumps(said, indent=1).encode()).hexdigest()
    files["manifest.json"] = f"{json.dumps(said | {'sha256': own}, indent=1)}\n".encode()

    assert judge_files(files)["file"] == "manifest.json"


@pytest.mark.parametrize("change", ["reversed", "no newline", "twice", "nothing", "witness"])
def test_a_key_file_of_another_form_is_refused(files: Files, change: str) -> None:
    first, second = files["log-key.pub"].splitlines(keepends=True)
    witness = LogKey.create(ORIGIN, witness=True).pinned.to_text().encode()
    forged = {
        "reversed": second + first,
        "no newline": (first + second)[:-1],
        "twice": first + first,
        "nothing": b"\n",
        "witness": witness,
    }
    files["log-key.pub"] = forged[change]

    assert judge_files(with_new_manifest(files))["file"] == "log-key.pub"


def test_one_key_alone_will_do_where_it_is_the_only_one(
    small_bundle: BundledCase, files: Files
) -> None:
    first, second = files["log-key.pub"].splitlines(keepends=True)

    for only in (first, second):
        assert judge_files(files, only)["result"] == "proved"
        alone = judge_files(with_new_manifest(files | {"log-key.pub": only}))
        assert alone["result"] == "consistent"


def test_every_column_is_bound_to_its_entry(files: Files) -> None:
    lines = lines_of(files["entries.jsonl"])
    chosen = random.Random(1)
    columns = json.loads(lines[8])["columns"]  # the seal: no column of it that may be is null
    assert len(columns) == 29

    for name, value in columns.items():
        changed = json.loads(lines[8])
        changed["columns"][name] = None if value is not None and chosen.random() < 0.3 else 7
        if isinstance(value, str) and changed["columns"][name] == 7:
            changed["columns"][name] = columns["content_hash" if name == "leaf_hash" else "raw"]
        forged = files | {
            "entries.jsonl": as_lines([*lines[:8], spelled(changed), *lines[9:]]),
        }

        found = judge_files(with_new_manifest(forged))

        if changed["columns"][name] != value:
            assert found["file"] == "entries.jsonl, line 9", name


@pytest.mark.parametrize(
    "name", ["extra.txt", ".hidden", "schemas/extra.avsc", "entries.jsonl~", "verify.pyc"]
)
def test_an_extra_file_is_refused_and_named(
    small_bundle: BundledCase, tmp_path: Path, name: str
) -> None:
    folder = copied(small_bundle.folder, tmp_path / "more")
    (folder / name).write_bytes(b"more")

    found = judge(folder)

    assert (found["result"], found["file"]) == ("refused", name)


def test_a_schema_that_nothing_names_is_refused(files: Files) -> None:
    name = f"schemas/{'0' * 64}.avsc"

    found = judge_files(with_new_manifest(files | {name: b"{}"}))

    assert (found["result"], found["file"]) == ("refused", name)


def test_a_missing_file_is_named(small_bundle: BundledCase, tmp_path: Path) -> None:
    for number, name in enumerate(read(small_bundle.folder)):
        folder = copied(small_bundle.folder, tmp_path / str(number))
        (folder / name).unlink()

        found = judge(folder)

        assert (found["result"], found["file"], found["reason"]) == ("refused", name, "missing")


def test_a_missing_file_is_named_when_the_manifest_is_written_again(files: Files) -> None:
    for name in files.keys() - {"manifest.json", "head.note"}:
        left = {other: data for other, data in files.items() if other != name}

        found = judge_files(with_new_manifest(left))

        assert (found["result"], found["file"]) == ("refused", name)
