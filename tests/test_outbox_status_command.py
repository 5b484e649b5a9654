"""`cryotrail outbox status` tells how full each outbox is, what was shed, and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from earlier_layouts import as_layout
from kafka_fixtures import home_settings
from room_events import chunk, freeze
from small_rooms import CHUNK_BYTES, EVENT_BYTES, small_room, unplugged

from cryotrail.commands import outbox as outbox_command
from cryotrail.outbox_budgets import clinical_budget, sheddable_channels, telemetry_budget
from cryotrail.settings import Settings
from cryotrail_schemas.events import Channel

Capture = pytest.CaptureFixture[str]


def _settings(home: Path, events: float, chunks: float) -> Settings:
    return home_settings(
        home,
        OUTBOX_LIMIT_MIB=str(events * EVENT_BYTES / 2**20),
        OUTBOX_TELEMETRY_LIMIT_MIB=str(chunks * CHUNK_BYTES / 2**20),
        OUTBOX_SHEDDABLE="TIP_TEMPERATURE_CEL, FLOW_PCT",
    )


def _leave_waiting(settings: Settings, events: int, chunks: int) -> None:
    with small_room(
        settings.outbox_path,
        unplugged(),
        clinical=clinical_budget(settings),
        telemetry=telemetry_budget(settings),
        sheddable=sheddable_channels(settings),
    ) as publisher:
        publisher.publish_many([freeze(uuid4()) for _ in range(events)])
        publisher.publish_many([chunk(uuid4()) for _ in range(chunks)])


def _status(settings: Settings, capsys: Capture) -> tuple[int, dict[str, Any]]:
    code = outbox_command.main(["status", "--json"], settings)
    return code, json.loads(capsys.readouterr().out)


def test_it_tells_bytes_bounds_and_shares_of_each_file(tmp_path: Path, capsys: Capture) -> None:
    settings = _settings(tmp_path / "home", 10.5, 10.5)
    _leave_waiting(settings, 2, 4)
    code, status = _status(settings, capsys)
    assert code == 0
    assert status["warnings"] == []
    assert status["bytes"] == 2 * EVENT_BYTES + 4 * CHUNK_BYTES
    assert status["share"] == status["telemetry"]["share"] == pytest.approx(4 / 10.5, rel=0.01)
    assert status["clinical"]["limit_bytes"] == int(10.5 * EVENT_BYTES)
    assert status["clinical"]["limit_age_s"] == 30 * 86400
    assert "limit_bytes" not in status, "two bounds are not one"


def test_near_a_bound_it_warns_and_exits_with_1(tmp_path: Path, capsys: Capture) -> None:
    settings = _settings(tmp_path / "home", 10.5, 10.5)
    _leave_waiting(settings, 9, 0)
    code, status = _status(settings, capsys)
    assert code == 1
    assert status["warnings"] == status["clinical"]["warnings"] != []

    assert outbox_command.main(["status"], settings) == 1
    said = capsys.readouterr()
    assert "86%" in said.out
    assert "clinical: 86% of its bound of" in said.err
    assert "what to do: `cryotrail outbox send`" in said.err


def test_what_was_shed_is_told_of_the_telemetry(tmp_path: Path, capsys: Capture) -> None:
    settings = _settings(tmp_path / "home", 1000, 3.5)
    _leave_waiting(settings, 0, 5)
    code, status = _status(settings, capsys)
    assert code == 1
    assert (status["telemetry"]["shed_chunks"], status["telemetry"]["shed_samples"]) == (2, 20)
    assert status["clinical"]["shed_chunks"] == 0
    assert status["telemetry"]["shedding"]
    assert status["shed_chunks"] == 2

    outbox_command.main(["status"], settings)
    assert "samples are being shed" in capsys.readouterr().err


def test_a_file_of_an_earlier_layout_is_told_and_left_as_it_is(
    tmp_path: Path, capsys: Capture
) -> None:
    settings = _settings(tmp_path / "home", 10.5, 10.5)
    _leave_waiting(settings, 3, 0)
    as_layout(settings.outbox_path, 2)
    before = settings.outbox_path.read_bytes()
    _, status = _status(settings, capsys)
    assert (status["waiting"], status["bytes"]) == (3, 3 * EVENT_BYTES)
    assert settings.outbox_path.read_bytes() == before


def test_zero_means_no_bound(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / "home", OUTBOX_LIMIT_MIB="0", OUTBOX_LIMIT_DAYS="0")
    budget = clinical_budget(settings)
    assert (budget.limit_bytes, budget.limit_age_s) == (None, None)
    assert sheddable_channels(settings) == frozenset()


def test_the_channels_that_may_be_shed_are_named_in_the_settings(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "home", 1, 1)
    assert sheddable_channels(settings) == {Channel.TIP_TEMPERATURE_CEL, Channel.FLOW_PCT}
