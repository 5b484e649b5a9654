"""Which cluster a process talks to, and how it says that it cannot."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaConfigurationError
from kafka_fixtures import KafkaNode, home_settings

from cryotrail.embedded.connection import kafka_connection
from cryotrail.embedded.errors import EmbeddedKafkaNotRunning
from cryotrail_producers.kafka_clients import (
    KafkaConnection,
    KafkaSettingsRefused,
    KafkaUnreachable,
    admin,
    consumer,
    producer,
)

BUILDERS = [producer, consumer, admin]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield int(server.getsockname()[1])


def test_an_address_in_the_settings_wins_with_its_security(tmp_path: Path) -> None:
    settings = home_settings(
        tmp_path,
        KAFKA_BOOTSTRAP="one.example:9093,two.example:9093",
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="SCRAM-SHA-512",
        KAFKA_USERNAME="room-3",
        KAFKA_PASSWORD_FILE="/run/secrets/kafka",
        KAFKA_CA_FILE="/etc/kafka/ca.pem",
    )
    assert kafka_connection(settings) == KafkaConnection(
        bootstrap="one.example:9093,two.example:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        username="room-3",
        password_file=Path("/run/secrets/kafka"),
        ca_file=Path("/etc/kafka/ca.pem"),
    )


def test_without_one_it_is_the_running_kafka_of_the_home(kafka: KafkaNode) -> None:
    settings = home_settings(kafka.settings.home)
    assert kafka_connection(settings) == KafkaConnection(kafka.bootstrap)


def test_without_either_the_refusal_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaNotRunning, match=str(tmp_path)) as refusal:
        kafka_connection(home_settings(tmp_path))
    assert refusal.value.hint is not None and "cryotrail kafka start" in refusal.value.hint


def test_encryption_without_a_cluster_is_refused_not_dropped(tmp_path: Path) -> None:
    with pytest.raises(KafkaSettingsRefused, match="no cluster is named"):
        kafka_connection(home_settings(tmp_path, KAFKA_SECURITY_PROTOCOL="SSL"))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"bootstrap": " , "}, "empty"),
        ({"bootstrap": "kafka"}, "'kafka' is no Kafka address"),
        ({"bootstrap": "kafka:0"}, "no Kafka address"),
        ({"bootstrap": "kafka:tls"}, "no Kafka address"),
        ({"security_protocol": "TLS"}, "unknown Kafka security protocol 'TLS'"),
        ({"ca_file": Path("ca.pem")}, "ca_file would have no effect with .* PLAINTEXT"),
        ({"username": "room-3"}, "username would have no effect"),
        ({"security_protocol": "SSL", "username": "room-3"}, "username would have no effect"),
        ({"security_protocol": "SSL", "key_file": Path("k.pem")}, "without cert_file"),
        ({"security_protocol": "SASL_SSL", "username": "u"}, "needs sasl_mechanism, password_file"),
        (
            {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "SCRAM",
                "username": "u",
                "password_file": Path("p"),
            },
            "unknown SASL mechanism 'SCRAM'",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(KafkaSettingsRefused, match=problem):
        KafkaConnection(**{"bootstrap": "kafka:9092", **options}).addresses()


def test_an_ipv6_address_stands_in_brackets() -> None:
    connection = KafkaConnection("[::1]:9092, kafka:9093")
    assert connection.addresses() == [("::1", 9092), ("kafka", 9093)]
    assert connection.client_options()["bootstrap_servers"] == ["[::1]:9092", "kafka:9093"]


def test_a_file_that_cannot_be_used_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    missing = KafkaConnection(
        "127.0.0.1:1", security_protocol="SSL", ca_file=tmp_path / "absent.pem"
    )
    with pytest.raises(KafkaSettingsRefused, match=r"absent\.pem"):
        producer(missing)
    (tmp_path / "password").write_text("\n")
    empty = KafkaConnection(
        "127.0.0.1:1",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        username="u",
        password_file=tmp_path / "password",
    )
    with pytest.raises(KafkaSettingsRefused, match="password is empty"):
        empty.client_options()


def test_a_cluster_that_is_down_is_named_within_ten_seconds(closed_port: int) -> None:
    refusal, elapsed_s = refused(lambda: producer(KafkaConnection(f"127.0.0.1:{closed_port}")))
    assert f"127.0.0.1:{closed_port}" in str(refusal)
    assert "Connection refused" in str(refusal)
    assert refusal.retriable and refusal.hint
    assert elapsed_s < 10


def test_a_broker_that_is_just_starting_is_waited_for(closed_port: int) -> None:
    """Reaching it is what is waited for; that this one then says nothing ends the attempt."""
    listening: list[socket.socket] = []
    later = threading.Timer(
        0.5, lambda: listening.append(socket.create_server(("127.0.0.1", closed_port)))
    )
    later.start()
    refusal, _ = refused(
        lambda: admin(KafkaConnection(f"127.0.0.1:{closed_port}"), connect_timeout_s=2.0)
    )
    later.join()
    listening.pop().close()
    assert "accepts connections" in str(refusal)


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
@pytest.mark.parametrize("build", BUILDERS)
def test_a_port_that_never_answers_is_given_up_within_the_bound(
    build: Callable[..., Any], protocol: str, silent_port: int
) -> None:
    connection = KafkaConnection(f"127.0.0.1:{silent_port}", security_protocol=protocol)
    threads = threading.active_count()

    _, elapsed_s = refused(lambda: build(connection, connect_timeout_s=1.0))

    assert elapsed_s < 4
    assert threading.active_count() <= threads, "no network thread is left behind"


def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    refusal, _ = refused(
        lambda: admin(KafkaConnection("no-such-host.invalid:9092"), connect_timeout_s=1.0)
    )
    assert "no-such-host.invalid:9092" in str(refusal)


@pytest.mark.parametrize("build", BUILDERS)
def test_tls_to_a_plain_port_ends_within_the_bound(
    build: Callable[..., Any], kafka: KafkaNode
) -> None:
    connection = KafkaConnection(kafka.bootstrap, security_protocol="SSL")
    refusal, elapsed_s = refused(lambda: build(connection, connect_timeout_s=1.5))
    assert elapsed_s < 5
    assert refusal.hint is not None and "security protocol (SSL)" in refusal.hint


def test_a_producer_cannot_be_talked_out_of_idempotence(kafka: KafkaNode) -> None:
    with pytest.raises(TypeError, match="enable_idempotence"):
        producer(kafka.connection, enable_idempotence=False)
    with pytest.raises(KafkaConfigurationError, match="retries"):
        producer(kafka.connection, retries=0)


def refused(build: Callable[[], Any]) -> tuple[KafkaUnreachable, float]:
    began = time.monotonic()
    with pytest.raises(KafkaUnreachable) as refusal:
        build()
    return refusal.value, time.monotonic() - began
