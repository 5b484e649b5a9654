"""``cryotrail audit quarantine`` and ``conflicts``: what they print, append and refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from event_samples import freeze_started, header
from kafka_fixtures import KafkaNode
from quarantined import QuietRoom, foreign_schema, foreign_value, headers_of, key_of
from recorded_kafka import message_of, publish, record_all
from registry_fixtures import RegistryProcess
from replayed_cohort import of_procedure

from cryotrail.main import main
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.framing import frame_confluent, parse_frame
from cryotrail_schemas.json_form import event_to_json

FREEZE = freeze_started(header=header("freeze"))


@pytest.fixture
def store(store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AuditStore]:
    """A store with a record that could be read by now (seq 1) and one that never can (seq 2)."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path))
    with closing(open_store(store_url)) as store:
        room = QuietRoom(store)
        room.receive(foreign_value(FREEZE), key_of(FREEZE), headers_of(FREEZE))
        room.receive(b"MSH|^~\\&|LAB")
        yield store


def learn(store: AuditStore) -> None:
    schema = foreign_schema(FREEZE)
    store.register_schema(schema.text, schema.fingerprint, "other.site.FreezeStarted", None)


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_all_that_can_be_read_is_replayed_and_what_stays_exits_1(
    store: AuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(store)

    assert main(["audit", "quarantine", "replay", "--all", "--json"]) == 1

    done, stays = printed(capsys)
    assert (done["source_seq"], done["outcome"]) == (1, "event")
    assert done["event_id"] == str(FREEZE.header.event_id)
    assert (stays["source_seq"], stays["outcome"], stays["reason"]) == (
        2, "unreadable", "unknown_framing",
    )  # fmt: skip
    assert main(["audit", "quarantine", "list", "--json"]) == 0
    listed = [(row["seq"], row["replayed"], row["replayed_as"]) for row in printed(capsys)]
    assert listed == [(1, "event", done["seq"]), (2, None, None)]
    assert main(["audit", "quarantine", "list", "--open", "--json"]) == 0
    assert [row["seq"] for row in printed(capsys)] == [2]
    assert main(["audit", "quarantine", "show", "1"]) == 0
    assert printed(capsys)["replayed_as"] == done["seq"]


def test_a_second_replay_appends_nothing_and_says_so(
    store: AuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(store)
    assert main(["audit", "quarantine", "replay", "1"]) == 0
    head = store.head()
    capsys.readouterr()

    assert main(["audit", "quarantine", "replay", "1"]) == 0

    assert "replayed_before" in capsys.readouterr().out
    assert store.head() == head
    code = ["--all", "--reason-code", "unknown_fingerprint"]
    assert main(["audit", "quarantine", "replay", *code]) == 0
    assert "nothing is to be replayed" in capsys.readouterr().err


def test_a_dry_run_appends_nothing(store: AuditStore, capsys: pytest.CaptureFixture[str]) -> None:
    learn(store)
    head = store.head()

    assert main(["audit", "quarantine", "replay", "1", "--dry-run"]) == 0

    said = capsys.readouterr()
    assert "readable" in said.out and "nothing was appended" in said.err
    assert store.head() == head


def test_an_operators_event_is_appended_and_marked(
    store: AuditStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event_to_json(FREEZE)))
    why = ["--corrected-file", str(file), "--reason", "typed from paper", "--decided-by", "qa-1"]

    assert main(["audit", "quarantine", "replay", "2", *why, "--json"]) == 0

    (done,) = printed(capsys)
    assert done["reason"] == "corrected_by_operator: typed from paper; decided by qa-1"
    assert main(["audit", "show", done["event_id"]]) == 0
    shown = printed(capsys)
    assert (shown["reason"], shown["source_seq"]) == (done["reason"], 2)
    assert shown["event"] == event_to_json(FREEZE)


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["1", "--all"],
        ["1", "--reason-code", "truncated"],
        ["1", "--reason", "why"],
        ["--all", "--corrected-file", "f", "--reason", "r", "--decided-by", "qa-1"],
    ],
)
def test_what_does_not_go_together_is_wrong_usage(store: AuditStore, given: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "quarantine", "replay", *given])

    assert ended.value.code == 2


def test_what_is_not_in_quarantine_exits_1(
    store: AuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "quarantine", "replay", "0"]) == 1
    assert "not in quarantine" in capsys.readouterr().err


def test_conflicts_stand_beside_the_event_that_counts(
    store: AuditStore, capsys: pytest.CaptureFixture[str], store_url: str
) -> None:
    room = QuietRoom(store, first_offset=10)
    event = room.publish(FREEZE)
    conflict = room.publish(freeze_started(header=header("freeze"), cycle_no=2))

    assert main(["audit", "conflicts", "list", "--json"]) == 0
    (listed,) = printed(capsys)
    assert main(["audit", "conflicts", "show", str(conflict.seq)]) == 0
    shown = printed(capsys)

    assert (listed["seq"], listed["event_seq"]) == (conflict.seq, event.seq)
    assert listed["differing_paths"] == shown["differing_paths"] == ["/cycle_no"]
    assert main(["audit", "conflicts", "list"]) == 0
    heading, *_, line = capsys.readouterr().out.splitlines()
    assert "reason" not in heading
    assert line.rstrip().endswith("/cycle_no")
    assert (shown["event"]["seq"], shown["conflict"]["seq"]) == (event.seq, conflict.seq)
    assert main(["audit", "conflicts", "list"]) == 0
    assert main(["audit", "conflicts", "show", str(event.seq)]) == 1


def test_records_from_kafka_are_replayed_once_the_registry_is_configured(
    fresh_topics: KafkaNode,
    registry: RegistryProcess,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = list(of_procedure("R01"))[:4]
    ids = {
        event.TYPE: registry.register(f"cryotrail.{event.TYPE}", catalog().current(event.TYPE).text)
        for event in events
    }
    messages = [message_of(event, number) for number, event in enumerate(events, 1)]
    framed = [
        message._replace(value=frame_confluent(ids[event.TYPE], parse_frame(message.value).body))
        for message, event in zip(messages, events, strict=True)
    ]
    publish(fresh_topics.connection, framed)
    assert record_all(fresh_topics.connection, store_url).quarantined == len(events)
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path))
    replay = ["audit", "quarantine", "replay", "--all", "--reason-code", "registry_not_configured"]

    assert main([*replay, "--json"]) == 1
    without = printed(capsys)
    monkeypatch.setenv("CRYOTRAIL_SCHEMA_REGISTRY_URL", registry.url)
    assert main([*replay, "--json"]) == 0
    done = printed(capsys)
    assert main(replay) == 0

    assert {one["reason"] for one in without} == {"registry_not_configured"}
    assert [one["outcome"] for one in done] == ["event"] * len(events)
    with closing(open_store(store_url)) as store:
        for one, event, message in zip(done, events, framed, strict=True):
            entry = store.entry_of(event.header.event_id)
            assert entry is not None
            assert (entry.seq, entry.source_seq) == (one["seq"], one["source_seq"])
            assert (entry.raw, entry.producer_seq) == (message.value, events.index(event) + 1)
    # The same events again, in the framing that names the schema itself, are known.
    publish(fresh_topics.connection, messages)
    tally = record_all(fresh_topics.connection, store_url)
    assert (tally.recorded, tally.redelivered) == (0, len(events))
    assert verify(store_url).result == "intact"
