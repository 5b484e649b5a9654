"""``cryotrail record reset`` and ``record shadow`` as an operator calls them, from a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kafka_fixtures import KafkaNode
from recorded_kafka import Message, all_entries, message_of
from replayed_cohort import of_procedure

from cryotrail.main import main
from cryotrail_schemas.events import ProbeTelemetryChunk
from cryotrail_schemas.topics import PROCEDURE_EVENTS

PARTITION = 4
MESSAGES = [
    message_of(event)._replace(partition=PARTITION)
    for event in of_procedure("R09")
    if not isinstance(event, ProbeTelemetryChunk)
]
GARBAGE = Message(PROCEDURE_EVENTS, MESSAGES[0].key, b"?", (), PARTITION)
ONE_PARTITION = ("--topic", PROCEDURE_EVENTS, "--partition", str(PARTITION))


class Operator:
    """Somebody at a terminal of the store's host."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def answers(self, *arguments: str) -> tuple[int, Any]:
        """Exit code of ``cryotrail`` with ``--json``, and what it printed; None when nothing."""
        self._capsys.readouterr()
        code = main([*arguments, "--json"])
        said = self._capsys.readouterr().out
        return code, json.loads(said) if said else None

    def reset(self, *arguments: str) -> dict[str, Any]:
        """A reset of the one partition that must succeed; what was done to it."""
        code, done = self.answers("record", "reset", *ONE_PARTITION, *arguments)
        assert code == 0
        (partition,) = done["partitions"]
        return dict(partition)

    def refused(self, *arguments: str) -> str:
        """A reset of the one partition that must be refused; why."""
        assert main(["record", "reset", *ONE_PARTITION, *arguments]) == 1
        return self._capsys.readouterr().err


@pytest.fixture
def _terminal(
    kafka: KafkaNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRYOTRAIL_KAFKA_BOOTSTRAP", kafka.bootstrap)
    return monkeypatch


@pytest.fixture
def operator(
    store_url: str, _terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """An operator of the store, on either database, and of the Kafka of the tests."""
    _terminal.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    return Operator(capsys)


@pytest.fixture
def sqlite_operator(
    sqlite_url: str, _terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """An operator of a store on SQLite: where the database does not matter."""
    _terminal.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    return Operator(capsys)


def resets_said(url: str) -> list[dict[str, Any]]:
    """What the log says of resets, in order."""
    said = [entry for entry in all_entries(url, kinds=(3,)) if entry.event_type == "position_reset"]
    return [json.loads(entry.raw or b"") for entry in said]


def offsets(url: str) -> list[int]:
    """Offsets of the events and quarantined records, in the order of the log."""
    return [entry.kafka_offset or 0 for entry in all_entries(url, kinds=(0, 1, 2))]
