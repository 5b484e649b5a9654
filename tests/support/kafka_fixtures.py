"""The real Kafka of the tests: one broker for the session, and one that tests may break."""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from kafka.errors import UnknownTopicOrPartitionError

from cryotrail.embedded import broker
from cryotrail.embedded.process import kill
from cryotrail.embedded.state import properties_path, running_state, write_state
from cryotrail.embedded.topics import ensure_topics
from cryotrail.settings import Settings, load_settings
from cryotrail_producers.kafka_clients import KafkaConnection, admin
from cryotrail_schemas.topics import EVENT_TOPICS


def home_environment(home: Path) -> dict[str, str]:
    """Where the tests' Kafka of one home finds its jars and its Java, as this machine says."""
    kept = ("CRYOTRAIL_CACHE_DIR", "CRYOTRAIL_JAVA_HOME", "XDG_CACHE_HOME")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    return {**inherited, "CRYOTRAIL_HOME": str(home)}


def home_settings(home: Path, **given: str) -> Settings:
    """The settings of a process whose home is ``home``; other variables without their prefix."""
    prefixed = {f"CRYOTRAIL_{name}": value for name, value in given.items()}
    return load_settings(home_environment(home) | prefixed)


@dataclass(frozen=True)
class KafkaNode:
    """An embedded Apache Kafka that belongs to a test.

    ``restarted()`` keeps its port, so that clients that are open find it again.
    """

    settings: Settings
    bootstrap: str

    @property
    def connection(self) -> KafkaConnection:
        return KafkaConnection(self.bootstrap)

    @property
    def data_dir(self) -> Path:
        """Its logs: one folder a partition, ``<topic>-<partition>/<first offset>.log``."""
        return self.settings.kafka_dir / "data"

    def stop(self) -> None:
        """A clean stop."""
        broker.stop(self.settings)

    def kill(self) -> None:
        """A sudden end, as of a power cut (but what the system had buffered is not lost)."""
        state = running_state(self.settings.kafka_dir)
        assert state is not None and state.pid is not None
        kill(state.pid, str(properties_path(self.settings.kafka_dir)))
        write_state(self.settings.kafka_dir, state.without_process())

    def start(self) -> None:
        """Start it again; its topics are made when they are missing."""
        running = broker.start(self.settings)
        assert running.bootstrap == self.bootstrap

    def delete_topics(self) -> None:
        """Delete both topics and wait until they are gone."""
        delete_topics(self.connection)

    def recreate_topics(self) -> None:
        """Delete both topics and create them anew, empty and with other topic ids."""
        recreate_topics(self.connection)


def delete_topics(connection: KafkaConnection, topics: Sequence[str] = EVENT_TOPICS) -> None:
    """Delete what there is of these topics, and wait until no metadata shows them."""
    client = admin(connection)
    try:
        for topic in topics:
            with suppress(UnknownTopicOrPartitionError):
                client.delete_topics([topic])
        deadline = time.monotonic() + 20
        while set(topics) & set(client.list_topics()):
            assert time.monotonic() < deadline, "the topics were not deleted"
            time.sleep(0.02)
    finally:
        client.close()


def recreate_topics(connection: KafkaConnection) -> None:
    """Delete both standard topics and create them anew, as the product creates them."""
    delete_topics(connection)
    outcome = ensure_topics(connection, flush_each_message=True)
    assert set(outcome.created) == set(EVENT_TOPICS)


def _started(home: Path) -> KafkaNode:
    settings = home_settings(home)
    running = broker.start(settings)
    return KafkaNode(replace(settings, kafka_bootstrap=running.bootstrap), running.bootstrap)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    """One real Apache Kafka for the whole session, with both topics. Do not stop it.

    ``kafka.bootstrap`` and ``kafka.connection`` are what a test needs; ``fresh_topics`` empties
    it first.
    """
    node = _started(tmp_path_factory.mktemp("kafka-home"))
    yield node
    node.stop()


@pytest.fixture
def fresh_topics(kafka: KafkaNode) -> KafkaNode:
    """The session's Kafka with both standard topics just made: empty, offsets from 0."""
    kafka.recreate_topics()
    return kafka


@pytest.fixture(scope="session")
def _breakable_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    node = _started(tmp_path_factory.mktemp("breakable-kafka"))
    yield node
    node.stop()


@pytest.fixture
def fragile_kafka(
    _breakable_kafka: KafkaNode, caplog: pytest.LogCaptureFixture
) -> Iterator[KafkaNode]:
    """A broker with empty topics that the test may kill and damage, and must leave running.

    kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is
    refused: a module that uses this ignores ``unclosed <socket:ResourceWarning``.
    """
    # A captured log record would keep the refused connection's exception, and so its socket.
    caplog.set_level(logging.CRITICAL, "kafka")
    caplog.handler.setLevel(logging.NOTSET)  # The line above silences everybody in caplog.text.
    _breakable_kafka.recreate_topics()
    yield _breakable_kafka
    gc.collect()  # Here, where the warning above is ignored.
