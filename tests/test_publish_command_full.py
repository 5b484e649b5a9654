"""`cryotrail publish` stops at the first line that the outbox does not take, and names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka_fixtures import home_settings
from outbox_rows import event_ids
from room_events import chunk, freeze
from small_rooms import CHUNK_BYTES, EVENT_BYTES

from cryotrail.commands import publish as publish_command
from cryotrail.publishing import publish_events
from cryotrail.settings import Settings
from cryotrail_producers.errors import OutboxFull
from cryotrail_producers.outbox_file.file_lock import FileLock
from cryotrail_schemas.events import Event
from cryotrail_schemas.json_form import event_to_json

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _nothing_is_sent(tmp_path: Path) -> Iterator[None]:
    """As while another process has the sender's lock; without waiting for a broker that is away."""
    (tmp_path / "home").mkdir()
    with closing(FileLock(tmp_path / "home" / "outbox.sqlite3.sender")) as lock:
        assert lock.try_exclusive()
        yield


def _settings(tmp_path: Path, **settings: str) -> Settings:
    return home_settings(
        tmp_path / "home",
        KAFKA_BOOTSTRAP="127.0.0.1:1",
        OUTBOX_LIMIT_MIB=str(5.5 * EVENT_BYTES / 2**20),
        OUTBOX_TELEMETRY_LIMIT_MIB=str(2.5 * CHUNK_BYTES / 2**20),
        **settings,
    )


def _file(folder: Path, *lines: Event | str) -> str:
    path = folder / "events.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(event_to_json(line)) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return str(path)


def _published(arguments: list[str], settings: Settings, capsys: Capture) -> tuple[int, Any]:
    code = publish_command.main([*arguments, "--wait-s", "0", "--json"], settings)
    return code, json.loads(capsys.readouterr().out)


def test_at_the_bound_it_tells_where_it_stopped_and_feeding_again_from_there_goes_on(
    tmp_path: Path, capsys: Capture
) -> None:
    settings = _settings(tmp_path)
    events = [freeze(uuid4()) for _ in range(8)]
    file = _file(tmp_path, events[0], "", "no event", *events[1:], "neither")
    code, said = _published([file], settings, capsys)
    assert code == 1
    assert (said["accepted"], said["waiting"]) == (5, 5)
    assert said["stopped_at_line"] == 8, "counted with blank and refused lines"
    assert "5.5" not in said["failure"] and "wait in it" in said["failure"]
    assert {line["line"] for line in said["refused"]} == {3}, "line 11 was not reached"
    assert event_ids(settings.outbox_path) == [event.header.event_id for event in events[:5]]

    assert publish_command.main([file, "--wait-s", "0"], settings) == 1
    told = capsys.readouterr()
    assert "0 events accepted" in told.out
    assert "stopped at line 1: it and the lines after it were NOT published" in told.out
    assert "OUTBOX_LIMIT_" in told.err


def test_telemetry_that_finds_no_room_stops_it_before_later_clinical_lines(
    tmp_path: Path, capsys: Capture
) -> None:
    settings = _settings(tmp_path)
    procedure = uuid4()
    lines = [freeze(procedure), *(chunk(procedure) for _ in range(3)), freeze(procedure, 2)]
    _, said = _published([_file(tmp_path, *lines)], settings, capsys)
    assert (said["accepted"], said["stopped_at_line"], said["shed"]) == (3, 4, 0)
    assert event_ids(settings.outbox_path) == [lines[0].header.event_id]


def test_telemetry_that_may_be_shed_does_not_stop_it(tmp_path: Path, capsys: Capture) -> None:
    settings = _settings(tmp_path, OUTBOX_SHEDDABLE="TIP_TEMPERATURE_CEL")
    procedure = uuid4()
    lines = [freeze(procedure), *(chunk(procedure) for _ in range(4)), freeze(procedure, 2)]
    code, said = _published([_file(tmp_path, *lines)], settings, capsys)
    assert (code, said["accepted"], said["shed"]) == (0, 4, 2)
    assert said["waiting"] == 5, "with the report of the gap"
    assert (said["stopped_at_line"], said["failure"]) == (None, None)


def test_other_commands_that_publish_raise(tmp_path: Path) -> None:
    with pytest.raises(OutboxFull):
        publish_events([freeze(uuid4()) for _ in range(9)], _settings(tmp_path), 0)
