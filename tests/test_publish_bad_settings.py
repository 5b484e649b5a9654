"""Wrong settings of the cluster are told with their remedy, and the events wait until they are right."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode, home_environment
from outbox_rows import event_ids
from room_events import freeze
from secure_kafka import USER, SecureKafka

from cryotrail_schemas.json_form import event_to_json

CRYOTRAIL = str(Path(sys.executable).with_name("cryotrail"))

# What each mistake is, and what of the message names it or its remedy.
MISTAKES = {
    "host": ({"KAFKA_BOOTSTRAP": "no-such-host.invalid:9092"}, "the address right"),
    "port": ({"KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "is the cluster running"),
    "tls on a plain port": (
        {"KAFKA_BOOTSTRAP": "{plain}", "KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "{ca}"},
        "the security protocol (SSL) the one of that port?",
    ),
    "plain on a tls port": ({"KAFKA_BOOTSTRAP": "{secure}"}, "does it use that security protocol"),
    "password": (
        {
            "KAFKA_BOOTSTRAP": "{secure}",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_USERNAME": USER,
            "KAFKA_PASSWORD_FILE": "{wrong password}",
            "KAFKA_CA_FILE": "{ca}",
        },
        "password",
    ),
    "topic": ({"KAFKA_BOOTSTRAP": "{plain}"}, "was the topic created"),
}


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    node = SecureKafka(tmp_path_factory.mktemp("secure") / "home")
    yield node
    node.stop()


def test_a_mistake_is_told_within_ten_seconds_and_the_events_wait(
    secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guess", encoding="ascii")

    def publish_with(mistake: str) -> tuple[str, float, int]:
        folder = tmp_path / mistake.replace(" ", "-")
        folder.mkdir()
        environment = _environment(folder, MISTAKES[mistake][0], secure_kafka, wrong)
        outbox = folder / "home" / "outbox.sqlite3"
        with _publishing(folder, environment, "--wait-s", "60") as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            # Not since the process began, which takes its time beside five others: since it
            # opened its outbox.
            took_s = time.time() - outbox.with_name(f"{outbox.name}.place").stat().st_mtime
        return said, took_s, len(event_ids(outbox))

    with ThreadPoolExecutor(len(MISTAKES)) as threads:
        outcomes = dict(zip(MISTAKES, threads.map(publish_with, MISTAKES), strict=True))
    for mistake, (said, took_s, waiting) in outcomes.items():
        assert MISTAKES[mistake][1] in said
        assert "guess" not in said
        assert took_s < 10, mistake
        assert waiting == 3


def test_the_outcome_says_how_many_wait_and_why(tmp_path: Path) -> None:
    environment = _environment(tmp_path, MISTAKES["port"][0])
    with _publishing(tmp_path, environment, "--wait-s", "8", "--json") as process:
        assert process.stdout is not None
        outcome = json.loads(process.stdout.read())
        assert process.wait(30) == 0
    assert (outcome["accepted"], outcome["waiting"]) == (3, 3)
    assert MISTAKES["port"][1] in outcome["problem"]


def test_with_the_right_settings_outbox_send_delivers_what_waited(
    kafka: KafkaNode, tmp_path: Path
) -> None:
    environment = _environment(tmp_path, {"KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    with _publishing(tmp_path, environment, "--wait-s", "0") as process:
        assert process.wait(60) == 0
    environment["CRYOTRAIL_KAFKA_BOOTSTRAP"] = kafka.bootstrap
    ended = subprocess.run(
        [CRYOTRAIL, "outbox", "send", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    left = json.loads(ended.stdout)
    assert (left["waiting"], left["sent"], left["problem"]) == (0, 3, None)


def _environment(
    folder: Path,
    given: dict[str, str],
    secure: SecureKafka | None = None,
    wrong_password: Path | None = None,
) -> dict[str, str]:
    values = {}
    if secure is not None:
        values = {
            "{plain}": f"127.0.0.1:{secure.plain_port}",
            "{secure}": secure.bootstrap,
            "{ca}": str(secure.ca_file),
            "{wrong password}": str(wrong_password),
        }
    own = {f"CRYOTRAIL_{name}": values.get(value, value) for name, value in given.items()}
    return {"PATH": os.environ["PATH"], **home_environment(folder / "home"), **own}


@contextlib.contextmanager
def _publishing(
    folder: Path, environment: dict[str, str], *options: str
) -> Iterator[subprocess.Popen[str]]:
    file = folder / "events.jsonl"
    lines = [json.dumps(event_to_json(freeze(uuid4()))) for _ in range(3)]
    file.write_text("\n".join(lines), encoding="utf-8")
    process = subprocess.Popen(
        [CRYOTRAIL, "publish", str(file), *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
