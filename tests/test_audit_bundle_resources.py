"""A bundle made to exhaust or to crash its verifier ends in a plain refusal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bundle_fixtures import BundledCase
from exported_bundles import (
    VERIFIER,
    VERIFIER_FILE,
    copied,
    judge_files,
    read,
    with_new_manifest,
)


def record_of(fields: Any) -> str:
    return json.dumps({"type": "record", "name": "r", "fields": fields})


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"type":' * 100_000,
        "null",
        '"string"',
        "1" * 5_000,
        record_of([]),
        record_of([{"name": "f", "type": "null"}]),
        record_of([{"name": "f", "type": {"type": "array", "items": "null"}}]),
        record_of([{"name": "f", "type": "r"}]),
        record_of([{"name": "f", "type": {"type": "fixed", "name": "z", "size": 0}}]),
        record_of([{"name": "f", "type": {"type": "bytes", "scale": 10**9}}]),
        record_of([{"name": "f", "type": {"type": "unheard of"}}]),
        record_of([{"name": ["f"], "type": 7}]),
        record_of([{"name": "f", "type": json.loads('{"type":' * 90 + '"int"' + "}" * 90)}]),
    ],
)
def test_a_schema_that_bounds_nothing_is_refused(text: str) -> None:
    with pytest.raises(VERIFIER.Refused):
        VERIFIER.parse_schema("schema", text)


def varint(number: int) -> bytes:
    number = (number << 1) ^ (number >> 63)
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


@pytest.mark.parametrize(
    "body",
    [
        varint(2**62),
        varint(-(2**62)) + varint(1),
        b"\xff" * 20,
        varint(1) * 1_000,
        varint(3) + varint(2**40) + b"x",
    ],
)
def test_a_body_that_claims_more_than_it_holds_cannot_be_read(body: bytes) -> None:
    form = VERIFIER.parse_schema(
        "schema", record_of([{"name": "f", "type": {"type": "array", "items": "string"}}])
    )

    with pytest.raises(VERIFIER.Unreadable):
        VERIFIER.decoded(body, form)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 200_000,
        '{"columns":' * 100_000,
        '{"columns":{"columns":1},"proof":[]}',
        '{"columns":null,"proof":[]}',
        '{"columns":{},"proof":[],"columns":{}}',
        "1" * 10_000,
        "1e999",
        '"\\ud800"',
        "NaN",
        "",
    ],
)
def test_lines_that_are_no_entries_are_refused(small_bundle: BundledCase, line: str) -> None:
    files = read(small_bundle.folder)
    for name in ("entries.jsonl", "log.jsonl", "events.jsonl"):
        changed = files | {name: f"{line}\n".encode()}

        found = judge_files(with_new_manifest(changed))

        assert (found["result"], found["file"].partition(",")[0]) == ("refused", name)


@pytest.mark.parametrize("size", [0, 10**18, 10**30, -1])
def test_a_checkpoint_of_an_absurd_size_is_refused(small_bundle: BundledCase, size: int) -> None:
    files = read(small_bundle.folder)
    text = f"tests.example/store\n{size}\n{'A' * 43}=\n"
    files["checkpoint.note"] = (
        small_bundle.log_key.sign("tests.example/store\n1\n" + "A" * 43 + "=\n", 1)
        .to_bytes()
        .replace(b"tests.example/store\n1\n", text[: text.rindex("\n", 0, -1) + 1].encode())
    )

    found = judge_files(with_new_manifest(files))

    assert (found["result"], found["file"]) == ("refused", "checkpoint.note")


def test_every_file_may_be_garbage_or_empty(small_bundle: BundledCase) -> None:
    files = read(small_bundle.folder)
    for name in files:
        for garbage in (b"", b"\n", b"\n\n", b"\xff\xfe", b"{}\n", bytes(100), b"\n" * 10_000):
            changed = files | {name: garbage}
            if name != "manifest.json":
                changed = with_new_manifest(changed)

            found = judge_files(changed)

            assert found["result"] == "refused", name
            assert name in found["file"] + found["reason"], (garbage, found)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """The verifier as a process that may take no more than a GiB."""
    code = (
        "import resource, runpy, sys;"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        f"sys.argv = ['verify.py', {str(folder)!r}];"
        f"runpy.run_path({str(VERIFIER_FILE)!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("kind", ["huge", "pipe", "link", "many", "folder"])
def test_files_that_are_none_or_too_large_are_refused(
    small_bundle: BundledCase, tmp_path: Path, kind: str
) -> None:
    folder = copied(small_bundle.folder, tmp_path / "attack")
    file = folder / "entries.jsonl"
    if kind == "huge":
        os.truncate(file, 1 << 40)
    elif kind == "many":
        for number in range(VERIFIER.MOST_FILES + 10):
            (folder / "schemas" / f"{number:064x}.avsc").touch()
    else:
        file.unlink()
        if kind == "pipe":
            os.mkfifo(file)
        elif kind == "link":
            file.symlink_to("/dev/zero")
        else:
            file.mkdir()

    ran = run(folder)

    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("refused: ")
    if kind != "many":
        assert "entries.jsonl" in ran.stdout


def test_text_of_a_bundle_does_not_reach_the_terminal_as_commands() -> None:
    assert VERIFIER.printable("CRYO\x1b[2J\u202e-1") == "CRYO\\x1b[2J\\u202e-1"
