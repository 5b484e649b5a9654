"""``cryotrail record`` as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish
from replayed_cohort import of_procedure

from cryotrail.main import main

MESSAGES = [message_of(event) for event in of_procedure("R01")[:30]]


@pytest.fixture
def home(tmp_path: Path, kafka: KafkaNode, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a store, beside the Kafka of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRYOTRAIL_KAFKA_BOOTSTRAP", kafka.bootstrap)
    return tmp_path / "home"


def test_until_caught_up_makes_the_store_of_the_home_and_says_what_it_did(
    fresh_topics: KafkaNode, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(fresh_topics.connection, MESSAGES)

    code = main(["record", "--until-caught-up"])

    said = capsys.readouterr()
    assert code == 0
    assert said.out.startswith(
        "30 recorded, 0 redelivered, 0 conflicts, 0 quarantined, 0 loss alarms in "
    )
    assert said.err == f"new audit store {home / 'audit.sqlite3'}\n"
    assert len(all_entries(f"sqlite:///{home / 'audit.sqlite3'}", kinds=(0,))) == 30


def test_json_is_alone_on_standard_output(
    fresh_topics: KafkaNode, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(fresh_topics.connection, [*MESSAGES, *MESSAGES[:3], MESSAGES[0]._replace(value=b"?")])

    code = main(["record", "--until-caught-up", "--json"])

    outcome = json.loads(capsys.readouterr().out)
    assert code == 0
    assert outcome["recorded"] == 30
    assert outcome["redelivered"] == 3
    assert outcome["conflicts"] == 0
    assert outcome["quarantined"] == 1
    assert outcome["alarms"] == 0
    assert outcome["records_per_s"] > 0


def test_a_partition_held_by_unknown_schemas_is_named_and_an_operator_may_let_it_go(
    fresh_topics: KafkaNode,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CRYOTRAIL_RECORDER_BREAKER_RECORDS", "3")
    unknown = MESSAGES[0]._replace(value=b"\xc3\x01" + bytes(range(8)) + b"body", partition=5)
    publish(fresh_topics.connection, [unknown] * 4)

    held = main(["record", "--until-caught-up", "--json"])
    outcome = json.loads(capsys.readouterr().out)
    decided = main(["record", "--until-caught-up", "--quarantine-unknown"])

    assert (held, decided) == (1, 0)
    assert outcome["breakers"] == {f"{unknown.topic}[5]": "open"}
    assert (outcome["quarantined"], outcome["breaker_openings"]) == (0, 1)
    assert "4 quarantined" in capsys.readouterr().out


def test_a_postgresql_database_without_a_store_is_refused(
    home: Path,
    empty_postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", empty_postgres_url)

    code = main(["record", "--until-caught-up"])

    assert code == 1
    assert "cryotrail audit init" in capsys.readouterr().err


def test_a_home_without_a_broker_is_told_how_to_start_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CRYOTRAIL_KAFKA_BOOTSTRAP")

    code = main(["record", "--until-caught-up"])

    assert code == 1
    assert "cryotrail kafka start" in capsys.readouterr().err
    assert not home.exists()
