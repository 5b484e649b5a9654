"""`cryotrail publish`: good lines arrive, bad ones are told, and what cannot be sent waits."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode, home_environment, home_settings
from key_stores import kek_file
from outbox_rows import event_ids
from room_events import SOURCE, freeze
from waiting import until

from cryotrail.commands import outbox as outbox_command
from cryotrail.commands import publish as publish_command
from cryotrail.embedded.errors import EmbeddedKafkaNotRunning
from cryotrail.publishing import publish_events
from cryotrail.settings import Settings
from cryotrail_producers.errors import LinesUnreadable
from cryotrail_producers.kafka_clients import KafkaConnection
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import KafkaTransport
from cryotrail_schemas.json_form import event_to_json

NOBODY = "127.0.0.1:1"


def settings_of(home: Path, bootstrap: str) -> Settings:
    return home_settings(home, KAFKA_BOOTSTRAP=bootstrap, SOURCE=SOURCE)


def json_line(**fields: Any) -> str:
    return json.dumps(event_to_json(freeze(uuid4())) | fields)


def file_of(folder: Path, *lines: str) -> str:
    path = folder / "events.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def test_good_lines_are_acknowledged_and_exit_is_0(
    kafka: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path / "home", kafka.bootstrap)
    file = file_of(tmp_path, json_line(), json_line(), json_line())
    assert publish_command.main([file], settings) == 0
    assert capsys.readouterr().out == "3 events accepted, 3 acknowledged by Kafka\n"
    assert len(event_ids(settings.outbox_path)) == 3


def test_lines_without_an_id_are_counted_and_those_with_one_count_once(
    kafka: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path / "home", kafka.bootstrap)
    without = json.loads(json_line())
    del without["header"]["event_id"]
    file = file_of(tmp_path, json_line(), json.dumps(without))
    assert publish_command.main([file], settings) == 0
    assert capsys.readouterr().out.endswith(
        "; 1 without event_id got a new one (fed again they count again)\n"
    )
    assert publish_command.main([file, "--json"], settings) == 0
    assert json.loads(capsys.readouterr().out)["new_ids"] == 1
    assert len(set(event_ids(settings.outbox_path))) == 3


def test_with_encryption_on_a_seal_over_clear_text_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(settings_of(tmp_path / "home", NOBODY), personal_kek_file=kek_file(tmp_path))
    header = json.loads(json_line())["header"]
    counts = {"sealed_producer_ids": [], "event_count": 1, "telemetry_chunk_count": 0}
    seal = {"type": "ProcedureSealed", "header": header, "content_root": "00" * 32, **counts}
    file = file_of(tmp_path, json_line(), json.dumps(seal))
    assert publish_command.main([file, "--wait-s", "0"], settings) == 1
    told = capsys.readouterr().err
    assert "line 2: content_root: " in told
    assert f"cryotrail outbox seal {header['procedure_id']}" in told


def test_refused_lines_are_told_the_others_are_published_and_exit_is_1(
    kafka: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path / "home", kafka.bootstrap)
    header = json.loads(json_line())["header"]
    probe = {"type": "ProbeInserted", "header": header, "probe_id": "1", "probe_no": 1}
    lab = {"type": "LabResultRecorded", "header": header, "analyte": "CRP", "value": 3.0}
    naive = header | {"occurred_at": "2026-11-22T10:24:00"}
    file = file_of(
        tmp_path,
        json_line(),
        json.dumps(probe | {"depth_cm": 6.0}),
        json.dumps(lab | {"unit_ucum": "mg/dL", "interpretation": "NORMAL"}),
        json_line(type="FreezeBegun"),
        json_line(header=naive),
        json.dumps({"type": "FreezeStarted", "header": header, "probe_id": "1"}),
        "not json",
        json_line(),
    )
    assert publish_command.main([file, "--json"], settings) == 1

    printed = capsys.readouterr()
    outcome = json.loads(printed.out)
    assert (outcome["accepted"], outcome["acknowledged"], outcome["waiting"]) == (2, 2, 0)
    assert [(refused["line"], refused["field"]) for refused in outcome["refused"]] == [
        (2, "depth_cm"),
        (3, "unit_ucum"),
        (4, "type"),
        (5, "header.occurred_at"),
        (6, "cycle_no"),
        (7, ""),
    ]
    assert "depth_mm" in outcome["refused"][0]["reason"]
    assert "mg/L" in outcome["refused"][1]["reason"]
    told = printed.err.splitlines()
    assert [line.split(":")[0] for line in told] == [f"line {n}" for n in range(2, 8)]
    assert "line 2: depth_cm: " in told[0]
    assert _status(settings, capsys)["refused"] == 6


def test_lines_from_a_pipe_are_durable_before_the_pipe_ends(
    kafka: KafkaNode, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "cryotrail.main", "publish", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=home_environment(home) | {"CRYOTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap},
    )
    assert process.stdin is not None
    process.stdin.write(json_line() + "\n")
    process.stdin.flush()
    outbox = home / "outbox.sqlite3"
    until(lambda: _accepted(outbox) == 1, timeout_s=30)
    out, _ = process.communicate(json_line() + "\n", timeout=60)
    assert (process.returncode, out) == (0, "2 events accepted, 2 acknowledged by Kafka\n")


def test_an_external_cluster_out_of_reach_leaves_events_waiting_and_exit_is_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path / "home", NOBODY)
    file = file_of(tmp_path, json_line(), json_line())
    assert publish_command.main([file, "--wait-s", "6"], settings) == 0
    out = capsys.readouterr().out
    assert "2 events accepted, 0 acknowledged by Kafka; 2 still wait in the outbox (" in out
    assert NOBODY in out
    status = _status(settings, capsys)
    assert (status["waiting"], status["sent"], status["refused"]) == (2, 0, 0)
    assert status["oldest_age_s"] > 0


def test_without_any_kafka_nothing_is_accepted_and_the_start_command_is_named(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    ended = subprocess.run(
        [sys.executable, "-m", "cryotrail.main", "publish", file_of(tmp_path, json_line())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=home_environment(home),
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "cryotrail kafka start" in ended.stderr
    assert not (home / "outbox.sqlite3").exists()


def test_a_file_that_is_not_there_is_named(kafka: KafkaNode, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", kafka.bootstrap)
    with pytest.raises(LinesUnreadable, match=r"missing\.jsonl: No such file"):
        publish_command.main([str(tmp_path / "missing.jsonl")], settings)


def test_while_another_process_sends_the_command_appends_and_waits_for_it(
    kafka: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path / "home", kafka.bootstrap)
    transport = KafkaTransport(KafkaConnection(kafka.bootstrap))
    with Publisher(PublisherSettings(settings.outbox_path, SOURCE), transport) as sender:
        sender.publish(freeze(uuid4()))
        assert sender.wait(20).waiting == 0
        assert publish_command.main([file_of(tmp_path, json_line())], settings) == 0
    assert "1 event accepted, 1 acknowledged by Kafka" in capsys.readouterr().out


def test_thousands_of_events_are_acknowledged(fresh_topics: KafkaNode, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", fresh_topics.bootstrap)
    procedures = [uuid4() for _ in range(11)]
    events = [freeze(procedures[n * 11 // 6000]) for n in range(6000)]
    outcome = publish_events(iter(events), settings, 60, "events", total=6000)
    assert (outcome.accepted, outcome.acknowledged, outcome.waiting) == (6000, 6000, 0)
    assert outcome.problem is None


def test_publish_events_without_a_kafka_accepts_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaNotRunning):
        publish_events([freeze(uuid4())], home_settings(tmp_path / "home"), 1)


def _accepted(path: Path) -> int:
    """How many events are in a file that may be in the making."""
    if not path.exists():
        return 0
    try:
        return len(event_ids(path))
    except sqlite3.OperationalError:
        return 0


def _status(settings: Settings, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert outbox_command.main(["status", "--json"], settings) == 0
    status: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status
