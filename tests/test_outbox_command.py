"""`cryotrail outbox`: what waits, was sent, was refused; and sending what waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode, home_settings
from room_events import SOURCE, chunk, freeze

from cryotrail.commands import outbox as outbox_command
from cryotrail.embedded.errors import EmbeddedKafkaNotRunning
from cryotrail.settings import Settings
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport

Capture = pytest.CaptureFixture[str]


def leave_waiting(settings: Settings, clinical: int, telemetry: int) -> None:
    transport = MemoryTransport()
    transport.outage = "no broker in this test"
    with Publisher(PublisherSettings(settings.outbox_path, SOURCE), transport) as publisher:
        publisher.publish_many([freeze(uuid4()) for _ in range(clinical)])
        publisher.publish_many([chunk(uuid4()) for _ in range(telemetry)])


def run_json(arguments: list[str], settings: Settings, capsys: Capture) -> tuple[int, Any]:
    code = outbox_command.main([*arguments, "--json"], settings)
    return code, json.loads(capsys.readouterr().out)


def test_an_outbox_that_was_never_used_is_empty_and_not_made(
    tmp_path: Path, capsys: Capture
) -> None:
    settings = home_settings(tmp_path / "home")
    code, status = run_json(["status"], settings, capsys)
    assert code == 0
    empty = {"waiting": 0, "sent": 0, "refused": 0, "oldest_age_s": None, "problem": None}
    assert status.items() >= empty.items()
    assert status["clinical"].items() >= empty.items()
    assert not settings.home.exists()


def test_the_status_counts_both_files_and_shows_each(tmp_path: Path, capsys: Capture) -> None:
    settings = home_settings(tmp_path / "home")
    leave_waiting(settings, clinical=2, telemetry=3)
    _, status = run_json(["status"], settings, capsys)
    assert (status["waiting"], status["sent"]) == (5, 0)
    assert status["oldest_age_s"] > 0

    assert outbox_command.main(["status"], settings) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["outbox", "waiting", "sent", "refused"]
    assert [line.split()[:3] for line in lines[2:]] == [
        ["clinical", "2", "0"],
        ["telemetry", "3", "0"],
    ]


def test_send_drains_both_files(kafka: KafkaNode, tmp_path: Path, capsys: Capture) -> None:
    settings = home_settings(tmp_path / "home", KAFKA_BOOTSTRAP=kafka.bootstrap)
    leave_waiting(settings, clinical=4, telemetry=4)
    code, left = run_json(["send"], settings, capsys)
    assert (code, left["waiting"], left["sent"], left["problem"]) == (0, 0, 8, None)
    assert outbox_command.main(["send"], settings) == 0
    assert capsys.readouterr().out == "nothing waits in the outbox\n"


def test_send_gives_up_without_a_cluster_and_says_why(tmp_path: Path, capsys: Capture) -> None:
    settings = home_settings(tmp_path / "home", KAFKA_BOOTSTRAP="127.0.0.1:1")
    leave_waiting(settings, clinical=1, telemetry=0)
    code, left = run_json(["send", "--wait-s", "0.2"], settings, capsys)
    assert (code, left["waiting"]) == (1, 1)
    assert left["problem"]


def test_send_without_any_kafka_names_the_start_command(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaNotRunning) as raised:
        outbox_command.main(["send"], home_settings(tmp_path / "home"))
    assert "cryotrail kafka start" in str(raised.value.hint)


def test_the_status_of_a_file_that_is_no_outbox_is_refused(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / "home")
    settings.outbox_path.parent.mkdir()
    settings.outbox_path.write_text("a letter" * 100)
    with pytest.raises(OutboxError, match="cannot read the outbox"):
        outbox_command.main(["status"], settings)


@pytest.mark.parametrize("arguments", [[], ["drain"]])
def test_a_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exited:
        outbox_command.main(arguments, home_settings(tmp_path / "home"))
    assert exited.value.code == 2
