"""``cryotrail audit``: what it prints, for people and for programs, and its exit codes."""

import json
from contextlib import closing
from hashlib import sha256
from uuid import UUID

import pytest
from audit_records import Writer, framed, record
from event_samples import PROCEDURE_ID, freeze_started
from recorded_events import EventRecorder
from store_tables import tables_of

from cryotrail.main import main
from cryotrail_audit.records import QUARANTINED, Administrative, IncomingBatch
from cryotrail_audit.store import open_store
from cryotrail_schemas.json_form import event_to_json


@pytest.fixture
def audit_url(store_url, monkeypatch, tmp_path):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    return store_url


@pytest.fixture
def recorded(audit_url):
    """One event, and two records that could not be read."""
    with closing(open_store(audit_url)) as store:
        recorder = EventRecorder(store)
        recorder.record(freeze_started())
        quarantined = [
            recorder.incoming(freeze_started(), **columns)
            for columns in (
                {"raw": b"\xff\x00", "reason": "unknown_framing", "event_id": b"1" * 16},
                {"raw": None, "reason": "empty_value", "event_id": b"2" * 16},
            )
        ]
        recorder.append(
            [
                (QUARANTINED, item._replace(content_hash=sha256(item.raw or b"").digest()))
                for item in quarantined
            ]
        )
    return audit_url


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_init_creates_the_store_and_may_be_repeated(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", f"sqlite:///{tmp_path / 'new' / 'audit.sqlite3'}")

    assert main(["audit", "init", "--origin", "hospital.example/log"]) == 0
    assert main(["audit", "init"]) == 0

    assert capsys.readouterr().out.count("hospital.example/log") == 2
    assert main(["audit", "init", "--origin", "another.example/log"]) == 1


def test_verify_says_intact_with_size_and_root(recorded, capsys):
    assert main(["audit", "verify", "--json"]) == 0

    with closing(open_store(recorded)) as store:
        head = store.head()
    said = printed(capsys)
    assert (
        said.items()
        >= {
            "result": "intact",
            "size": head.tree_size,
            "root": head.root.hex(),
            "first_broken_seq": None,
            "reason": None,
            "checked_from_seq": 0,
            "checkpoint_size": None,
            "anchored": False,
            "signature_checked": False,
        }.items()
    )


def test_verify_says_that_there_is_no_outside_anchor(recorded, capsys):
    assert main(["audit", "verify"]) == 0

    said = capsys.readouterr()
    assert said.out.startswith("intact, no outside anchor: 5 entries, root ")
    assert "no outside anchor" in said.err
    assert "proved" not in said.out + said.err


def test_verify_names_the_broken_entry_and_exits_1(recorded, capsys):
    with tables_of(recorded) as tables:
        tables.drop_guards()
        tables.execute("update entry set occurred_us = occurred_us + 1 where seq = 2")

    assert main(["audit", "verify", "--json"]) == 1
    found = printed(capsys)
    assert (found["result"], found["first_broken_seq"]) == ("broken", 2)

    assert main(["audit", "verify"]) == 1
    assert capsys.readouterr().out.startswith("broken at seq 2: entry 2: ")


def test_verify_writes_nothing(recorded):
    def everything():
        with tables_of(recorded) as tables:
            return [tables.execute(f"select * from {table}") for table in ("entry", "batch")]

    before = everything()
    assert main(["audit", "verify"]) == 0
    assert everything() == before


def test_show_gives_the_entry_with_its_bytes_and_the_event(recorded, capsys):
    event = freeze_started()

    assert main(["audit", "show", str(event.header.event_id)]) == 0

    shown = printed(capsys)
    with closing(open_store(recorded)) as store:
        entry = store.entry_of(event.header.event_id)
    assert (
        shown.items()
        >= {
            "seq": entry.seq,
            "kind": "event",
            "event_id": str(event.header.event_id),
            "event_type": "FreezeStarted",
            "procedure_id": str(PROCEDURE_ID),
            "occurred_at": "2026-11-22T10:00:00.000000Z",
            "topic": "procedure-events",
            "partition": 0,
            "offset": 0,
            "raw_hex": entry.raw.hex(),
            "content_hash": entry.content_hash.hex(),
            "leaf_hash": entry.leaf_hash.hex(),
        }.items()
    )
    assert shown["event"] == event_to_json(event)
    assert shown["recorded_at"].endswith("Z")


def test_show_gives_kafkas_headers_in_order(audit_url, capsys):
    headers = framed(("b", b"2"), ("a", None), ("b", b""))
    with closing(open_store(audit_url)) as store:
        Writer(store).append([record(0, kafka_headers=headers)])

    assert main(["audit", "show", str(UUID(bytes=record(0).event_id))]) == 0

    shown = printed(capsys)
    assert shown["headers"] == [
        {"name": "b", "value": "2"},
        {"name": "a", "value": None},
        {"name": "b", "value": ""},
    ]
    assert shown["event"] is None  # its schema is not registered


def test_show_gives_the_payload_of_an_administrative_entry(audit_url, capsys):
    with closing(open_store(audit_url)) as store:
        store.append(IncomingBatch((), (), [Administrative("loss_alarm", {"part": 3})], "me"))
        ((entry,),) = store.entries()

    assert main(["audit", "show", str(UUID(bytes=entry.event_id))]) == 0

    shown = printed(capsys)
    assert (shown["kind"], shown["event_type"], shown["event"]) == (
        "administrative", "loss_alarm", {"part": 3},
    )  # fmt: skip


def test_show_of_an_unknown_event_exits_1(audit_url, capsys):
    assert main(["audit", "show", str(UUID(int=1))]) == 1

    said = capsys.readouterr()
    assert "no entry has the event id" in said.err
    assert said.out == ""


def test_show_of_what_is_no_uuid_is_wrong_usage(audit_url):
    with pytest.raises(SystemExit) as ended:
        main(["audit", "show", "not-a-uuid"])

    assert ended.value.code == 2


def test_quarantine_list_names_where_each_record_stands_and_why(recorded, capsys):
    assert main(["audit", "quarantine", "list", "--json"]) == 0

    assert printed(capsys) == [
        {"seq": 3, "topic": "procedure-events", "partition": 0, "offset": 1,
         "reason": "unknown_framing", "replayed": None, "replayed_as": None},
        {"seq": 4, "topic": "procedure-events", "partition": 0, "offset": 2,
         "reason": "empty_value", "replayed": None, "replayed_as": None},
    ]  # fmt: skip


def test_quarantine_list_is_a_table_for_people(recorded, capsys):
    assert main(["audit", "quarantine", "list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["seq", "topic", "partition", "offset", "reason"]
    assert len(lines) == 4


def test_an_empty_quarantine_is_an_empty_list(audit_url, capsys):
    assert main(["audit", "quarantine", "list", "--json"]) == 0

    assert printed(capsys) == []


def test_quarantine_show_gives_the_bytes(recorded, capsys):
    assert main(["audit", "quarantine", "show", "3"]) == 0

    shown = printed(capsys)
    assert (shown["raw_hex"], shown["reason"], shown["event"]) == ("ff00", "unknown_framing", None)
    assert main(["audit", "quarantine", "show", "2"]) == 1


def test_without_a_store_every_action_says_how_to_create_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", f"sqlite:///{tmp_path / 'none.sqlite3'}")

    for action in (["verify"], ["show", str(UUID(int=1))], ["quarantine", "list"]):
        assert main(["audit", *action]) == 1
        assert "cryotrail audit init" in capsys.readouterr().err
