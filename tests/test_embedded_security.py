"""The clients log in to a Kafka that wants TLS and SCRAM, and say what it refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from secure_kafka import PASSWORD, USER, SecureKafka

from cryotrail.embedded.topics import ensure_topics
from cryotrail_producers.kafka_clients import (
    KafkaAccessRefused,
    KafkaConnection,
    KafkaUnreachable,
    admin,
    producer,
)
from cryotrail_schemas.topics import PROCEDURE_EVENTS


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    node = SecureKafka(tmp_path_factory.mktemp("secure") / "home")
    yield node
    node.stop()


@pytest.fixture
def connection(secure_kafka: SecureKafka, tmp_path: Path) -> KafkaConnection:
    password_file = tmp_path / "password"
    password_file.write_text(f"{PASSWORD}\n")
    return KafkaConnection(
        bootstrap=secure_kafka.bootstrap,
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        username=USER,
        password_file=password_file,
        ca_file=secure_kafka.ca_file,
    )


def test_with_the_password_and_the_authority_an_event_gets_through(
    connection: KafkaConnection,
) -> None:
    ensure_topics(connection, flush_each_message=True)
    sender = producer(connection)
    try:
        sent = sender.send(PROCEDURE_EVENTS, b"value", key=b"key", partition=0)
        assert sent.get(timeout=10).offset == 0
    finally:
        sender.close()


def test_a_wrong_password_is_refused_by_name_and_is_not_worth_a_retry(
    connection: KafkaConnection, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guess")
    began = time.monotonic()
    with pytest.raises(KafkaAccessRefused, match=connection.bootstrap) as refusal:
        admin(replace(connection, password_file=wrong), connect_timeout_s=60)
    assert time.monotonic() - began < 30, "it was waited for"
    assert not refusal.value.retriable
    assert "guess" not in f"{refusal.value} {refusal.value.hint}"


def test_a_server_that_the_authority_did_not_sign_is_not_sent_a_password(
    connection: KafkaConnection, secure_kafka: SecureKafka
) -> None:
    began = time.monotonic()
    with pytest.raises(KafkaUnreachable, match="certificate verify failed"):
        producer(replace(connection, ca_file=secure_kafka.other_ca_file), connect_timeout_s=1.5)
    assert time.monotonic() - began < 5


def test_a_plain_client_on_the_secure_port_ends_within_the_bound(
    secure_kafka: SecureKafka,
) -> None:
    began = time.monotonic()
    with pytest.raises(KafkaUnreachable, match="did not speak Kafka over PLAINTEXT"):
        admin(KafkaConnection(secure_kafka.bootstrap), connect_timeout_s=1.5)
    assert time.monotonic() - began < 5
