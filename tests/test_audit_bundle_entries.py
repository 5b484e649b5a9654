"""What a bundle refuses although every leaf is proved: entries that do not belong, or lie."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from bundle_fixtures import BundledCase
from exported_bundles import (
    ORIGIN,
    VERIFIER,
    as_lines,
    bundled,
    judge_files,
    lines_of,
    read,
    with_new_manifest,
)
from handmade_case import Case
from recorded_events import EventRecorder
from sealed_case import SealedCase, record_sealed

from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.records import EVENT
from cryotrail_audit.store import open_store
from cryotrail_schemas.codec import encode, frame_confluent

Files = dict[str, bytes]


@pytest.fixture
def files(small_bundle: BundledCase) -> Files:
    """The files of a bundle, to be changed."""
    return dict(read(small_bundle.folder))


def named(line: str) -> str:
    """What an entry of ``log.jsonl`` is about."""
    kind: str = json.loads(line)["columns"]["event_type"]
    return kind


def test_a_schema_without_its_entry_in_the_log_is_refused(files: Files) -> None:
    lines = lines_of(files["log.jsonl"])
    first = next(number for number, line in enumerate(lines) if named(line) == "schema")
    name = sorted(item for item in files if item.startswith("schemas/"))
    kept = as_lines([*lines[:first], *lines[first + 1 :]])

    both_left_out = []
    for schema in name:
        left = {other: data for other, data in files.items() if other != schema}
        both_left_out.append(judge_files(with_new_manifest(left | {"log.jsonl": kept})))
    entry_left_out = judge_files(with_new_manifest(files | {"log.jsonl": kept}))

    assert entry_left_out["file"].startswith("schemas/")
    assert {found["result"] for found in both_left_out} == {"refused"}
    assert any("its schema is not in the bundle" in found["reason"] for found in both_left_out)


def test_a_topic_without_its_entry_in_the_log_is_refused(files: Files) -> None:
    lines = [line for line in lines_of(files["log.jsonl"]) if named(line) != "topic"]

    found = judge_files(with_new_manifest(files | {"log.jsonl": as_lines(lines)}))

    assert "its topic is not in the bundle" in found["reason"]


def test_a_signing_key_without_its_entry_in_the_log_is_unknown(files: Files) -> None:
    lines = [line for line in lines_of(files["log.jsonl"]) if named(line) != "key"]

    found = judge_files(with_new_manifest(files | {"log.jsonl": as_lines(lines)}))

    assert found["seals"][0]["origin"] == "origin not proved (key unknown)"


def test_an_event_cannot_stand_among_the_entries_of_the_log_itself(files: Files) -> None:
    lines = lines_of(files["log.jsonl"]) + lines_of(files["entries.jsonl"])
    lines.sort(key=lambda line: int(json.loads(line)["columns"]["seq"]))

    found = judge_files(with_new_manifest(files | {"log.jsonl": as_lines(lines)}))

    assert found["file"].startswith("log.jsonl, line")
    assert "not an administrative entry" in found["reason"]


def test_entries_of_another_procedure_cannot_take_the_place_of_its_own(sqlite_url: str) -> None:
    key = LogKey.create(ORIGIN)
    with closing(open_store(sqlite_url)) as store:
        sealed = record_sealed(store)
    mine = bundled(sqlite_url, sealed.procedure_id, key)
    others = bundled(sqlite_url, Case(101).procedure_id, key)
    assert notes.parse(mine["checkpoint.note"]).text == notes.parse(others["checkpoint.note"]).text
    del mine["head.note"]
    mixed = mine | {name: others[name] for name in ("entries.jsonl", "events.jsonl")}

    found = judge_files(with_new_manifest(mixed))

    assert (found["file"], found["reason"]) == (
        "entries.jsonl, line 1",
        "an entry of another procedure",
    )


@pytest.fixture
def of_recorder(sqlite_url: str) -> Callable[..., dict[str, Any]]:
    """What is said of a store whose recorder wrote whatever it liked."""

    def record(**columns: Any) -> dict[str, Any]:
        sealed = SealedCase()
        with closing(open_store(sqlite_url)) as store:
            recorder = EventRecorder(store)
            recorder.record(sealed.day[0])
            recorder.append([(EVENT, recorder.incoming(sealed.day[1], **columns))])
        return judge_files(bundled(sqlite_url, sealed.procedure_id, LogKey.create(ORIGIN)))

    return record


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"content_hash": bytes(32)}, "its bytes do not have the content hash"),
        ({"event_id": bytes(16)}, "its columns and its body disagree"),
        ({"event_type": "ThawStarted"}, "its columns and its body disagree"),
        ({"occurred_us": 1}, "its columns and its body disagree"),
        ({"raw": b"no frame"}, "its bytes have no frame"),
        ({"raw": b""}, "its bytes have no frame"),
        ({"raw": b"\xc3\x01" + bytes(8) + b"body"}, "its frame names another schema"),
    ],
)
def test_columns_that_contradict_the_bytes_are_refused(
    of_recorder: Callable[..., dict[str, Any]], columns: dict[str, Any], reason: str
) -> None:
    found = of_recorder(**columns)

    assert (found["result"], found["reason"]) == ("refused", reason)


def test_a_body_in_the_frame_of_a_schema_registry_is_read(
    of_recorder: Callable[..., dict[str, Any]],
) -> None:
    body = encode(SealedCase().day[1])

    found = of_recorder(raw=frame_confluent(7, body))

    assert (found["result"], found["not_readable"]) == ("consistent", 0)


def test_the_key_in_the_bundle_must_be_the_one_from_outside(
    small_bundle: BundledCase, files: Files
) -> None:
    other = LogKey.create(ORIGIN).pinned.to_text().encode()

    found = judge_files(with_new_manifest(files | {"log-key.pub": other}), small_bundle.public_key)

    assert (found["result"], found["file"]) == ("refused", "log-key.pub")


def test_more_signatures_than_anybody_makes_are_refused(
    small_bundle: BundledCase, files: Files
) -> None:
    lines = "".join(f"— stranger{number} AAAAAAAA\n" for number in range(VERIFIER.MOST_SIGNATURES))
    files["checkpoint.note"] += lines.encode()

    assert judge_files(with_new_manifest(files))["file"] == "checkpoint.note"
