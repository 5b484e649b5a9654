"""The sender of a host as a process of its own: it sends what others publish, and answers for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode, home_environment, home_settings
from room_events import SOURCE, chunk, freeze
from scraping import Scrape, asked, standing
from waiting import until

from cryotrail.settings import Settings
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport


def leave_waiting(settings: Settings, clinical: int, telemetry: int) -> None:
    transport = MemoryTransport()
    transport.outage = "no broker in this test"
    with Publisher(PublisherSettings(settings.outbox_path, SOURCE), transport) as publisher:
        publisher.publish_many([freeze(uuid4()) for _ in range(clinical)])
        publisher.publish_many([chunk(uuid4()) for _ in range(telemetry)])


class Sending:
    """A ``cryotrail outbox send --follow``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None and process.stdout is not None
        self.process = process
        self.stdout: IO[str] = process.stdout
        self.stderr: IO[str] = process.stderr
        self.url = json.loads(self.stderr.readline())["event"].rpartition(" ")[2]

    def end(self) -> tuple[int, Any]:
        """Stop it as an orchestrator does; its exit code and what it printed."""
        self.process.send_signal(signal.SIGTERM)
        printed = self.stdout.read()
        assert [json.loads(line)["level"] for line in self.stderr.read().splitlines()]
        return self.process.wait(30), json.loads(printed)


@contextmanager
def sending(home: Path, kafka: KafkaNode) -> Iterator[Sending]:
    command = [sys.executable, "-m", "cryotrail.main", "outbox", "send", "--follow"]
    process = subprocess.Popen(
        [*command, "--http", "0", "--json", "--log-format", "json"],
        env=os.environ | home_environment(home) | {"CRYOTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Sending(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_it_sends_what_another_process_publishes_and_counts_it(
    kafka: KafkaNode, tmp_path: Path
) -> None:
    settings = home_settings(tmp_path / "home", KAFKA_BOOTSTRAP=kafka.bootstrap)
    leave_waiting(settings, clinical=3, telemetry=2)
    with sending(settings.home, kafka) as sender:
        name = "cryotrail_events_produced_total"
        until(lambda: len(Scrape(sender.url).labels(name)) == 2)
        leave_waiting(settings, clinical=4, telemetry=0)
        until(
            lambda: Scrape(sender.url).value(name, adapter=SOURCE, event_type="FreezeStarted") == 7
        )
        scrape = Scrape(sender.url)
        ready = standing(f"{sender.url}/readyz")
        code, printed = sender.end()

    assert scrape.value(name, adapter=SOURCE, event_type="ProbeTelemetryChunk") == 2
    assert scrape.value("cryotrail_outbox_waiting_events", outbox="clinical") == 0
    assert scrape.value("cryotrail_outbox_sent_events_total", outbox="clinical") == 7
    assert scrape.value("cryotrail_outbox_used_ratio", outbox="telemetry") == 0
    assert scrape.value("cryotrail_sender_active") == 1
    assert ready == (200, {})
    assert (code, printed["waiting"], printed["sent"]) == (0, 0, 9)


def test_it_is_unready_while_kafka_is_away_and_sends_when_it_is_back(
    fragile_kafka: KafkaNode, tmp_path: Path
) -> None:
    settings = home_settings(tmp_path / "home", KAFKA_BOOTSTRAP=fragile_kafka.bootstrap)
    with sending(settings.home, fragile_kafka) as sender:
        until(lambda: standing(f"{sender.url}/readyz") == (200, {}))
        fragile_kafka.kill()
        try:
            until(lambda: "kafka" in standing(f"{sender.url}/readyz")[1])
            leave_waiting(settings, clinical=2, telemetry=0)
            scrape = Scrape(sender.url)
            assert scrape.value("cryotrail_outbox_waiting_events", outbox="clinical") == 2
            assert (scrape.value("cryotrail_outbox_oldest_age_seconds", outbox="clinical") or 0) > 0
            assert standing(f"{sender.url}/healthz") == (200, {})
        finally:
            fragile_kafka.start()
        until(lambda: standing(f"{sender.url}/readyz") == (200, {}), 60)
        until(
            lambda: (
                Scrape(sender.url).value("cryotrail_outbox_waiting_events", outbox="clinical") == 0
            ),
            60,
        )


def test_a_sender_that_is_stopped_still_by_a_signal_answers_nobody(
    kafka: KafkaNode, tmp_path: Path
) -> None:
    with sending(tmp_path / "home", kafka) as sender:
        until(lambda: standing(f"{sender.url}/healthz") == (200, {}))
        sender.process.send_signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            asked(f"{sender.url}/healthz", timeout_s=0.5)
        sender.process.send_signal(signal.SIGCONT)
        until(lambda: standing(f"{sender.url}/healthz") == (200, {}))
