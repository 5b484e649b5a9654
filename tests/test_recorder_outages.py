"""What is away for a moment is waited for; nothing is quarantined for it, and nothing lost."""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from kafka_fixtures import KafkaNode
from postgres_server import PostgresServer
from recorded_kafka import (
    Message,
    all_entries,
    group_at,
    message_of,
    publish,
    record_all,
    recorder,
    running,
)
from refused_connections import REFUSED_CONNECTIONS
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.store import migrate
from cryotrail_audit.verification import verify
from cryotrail_consumers.errors import TakenOver
from cryotrail_consumers.reading import kafka_source
from cryotrail_producers.kafka_clients import KafkaConnection, KafkaUnreachable, admin
from cryotrail_schemas.topics import PARTITION_COUNT

pytestmark = REFUSED_CONNECTIONS

MESSAGES = [message_of(event) for event in of_procedure("R01")]


@pytest.fixture
def private_postgres() -> Iterator[PostgresServer]:
    # Not pytest's own temporary folder: as root the server runs as somebody who may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-postgres-"))
    try:
        with PostgresServer(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _no_file_grows_beyond(size: int) -> Iterator[None]:
    """To this process the disk is full: a write beyond ``size`` of any file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_database_that_crashes_is_waited_for(
    fresh_topics: KafkaNode, private_postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = private_postgres.url()
    migrate(url)
    publish(fresh_topics.connection, MESSAGES[:100])
    with recorder(fresh_topics.connection, url) as one, running(one):
        until(lambda: one.tally.recorded == 100)
        private_postgres.stop(immediately=True)
        publish(fresh_topics.connection, MESSAGES[100:])
        until(lambda: caplog.text.count("trying again in") >= 3)
        private_postgres.start()

        until(lambda: one.tally.recorded == len(MESSAGES))

    assert [entry.raw for entry in all_entries(url, kinds=(2,))] == []
    assert one.tally.redelivered == 0
    assert verify(url).result == "intact"


def test_while_the_database_is_away_for_long_the_recorder_stays_a_member_of_its_group(
    fresh_topics: KafkaNode,
    private_postgres: PostgresServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As five minutes are to the real limit: whoever does not poll for longer is given up.
    short = partial(kafka_source.consumer, max_poll_interval_ms=3000)
    monkeypatch.setattr(kafka_source, "consumer", short)
    url = private_postgres.url()
    migrate(url)
    group = group_at(url)
    publish(fresh_topics.connection, MESSAGES[:100])
    with recorder(fresh_topics.connection, url) as one, running(one):
        until(lambda: one.tally.recorded == 100)
        before = _members(fresh_topics, group)
        private_postgres.stop(immediately=True)
        publish(fresh_topics.connection, MESSAGES[100:])
        until(lambda: one.tally.waiting_for is not None)
        away_since = time.monotonic()
        until(lambda: time.monotonic() > away_since + 5)
        private_postgres.start()
        until(lambda: one.tally.recorded == len(MESSAGES))

        assert _members(fresh_topics, group) == before != set()
    assert (one.tally.fenced, one.tally.redelivered) == (0, 0)


def test_a_full_disk_is_waited_for(
    fresh_topics: KafkaNode, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = Path(sqlite_url.removeprefix("sqlite:///") + "-wal")
    publish(fresh_topics.connection, MESSAGES[:10])
    with recorder(fresh_topics.connection, sqlite_url) as one, running(one):
        until(lambda: one.tally.recorded == 10)
        with _no_file_grows_beyond(log.stat().st_size):
            publish(fresh_topics.connection, MESSAGES[10:])
            until(lambda: caplog.text.count("trying again in") >= 2)

        until(lambda: one.tally.recorded == len(MESSAGES))

    assert (one.tally.quarantined, one.tally.redelivered) == (0, 0)
    assert verify(sqlite_url).result == "intact"


def test_a_broker_that_is_restarted_is_waited_for(
    fragile_kafka: KafkaNode, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = fragile_kafka
    publish(node.connection, MESSAGES[:100])
    with recorder(node.connection, sqlite_url) as one, running(one):
        until(lambda: one.tally.recorded == 100)
        node.kill()
        until(lambda: "trying again in" in caplog.text)
        node.start()
        publish(node.connection, MESSAGES[100:])

        until(lambda: one.tally.recorded == len(MESSAGES))

    assert (one.tally.alarms, one.tally.redelivered) == (0, 0)


def test_a_broker_that_was_never_there_is_an_error_at_once(sqlite_url: str) -> None:
    with (
        recorder(KafkaConnection("127.0.0.1:1"), sqlite_url) as one,
        pytest.raises(KafkaUnreachable),
    ):
        one.run()


def test_a_second_recorder_of_an_sqlite_store_ends_the_first(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, MESSAGES[:100])

    with (
        pytest.raises(TakenOver),
        recorder(fresh_topics.connection, sqlite_url) as first,
        running(first) as thread,
    ):
        until(lambda: first.tally.recorded == 100)
        record_all(fresh_topics.connection, sqlite_url)
        publish(fresh_topics.connection, MESSAGES[100:])
        until(lambda: not thread.is_alive())
    second = record_all(fresh_topics.connection, sqlite_url)

    assert (first.tally.recorded, second.recorded) == (100, len(MESSAGES) - 100)
    assert second.redelivered == 0


def test_recorders_of_a_postgresql_store_share_the_partitions(
    fresh_topics: KafkaNode, postgres_url: str
) -> None:
    first, second, again = MESSAGES[:200], MESSAGES[200:600], MESSAGES[:200]
    with recorder(fresh_topics.connection, postgres_url) as one, running(one):
        publish(fresh_topics.connection, _spread(first))
        until(lambda: one.tally.recorded == len(first))
        with recorder(fresh_topics.connection, postgres_url) as other, running(other):
            until(lambda: _member_count(fresh_topics, group_at(postgres_url)) == 2)
            publish(fresh_topics.connection, _spread(second))
            until(lambda: one.tally.recorded + other.tally.recorded == len(first) + len(second))
        publish(fresh_topics.connection, _spread(again))
        until(lambda: one.tally.redelivered == len(again))

    assert one.tally.recorded > len(first)
    assert other.tally.recorded > 0
    assert verify(postgres_url).result == "intact"


def test_recorders_of_two_stores_record_everything_each(
    fresh_topics: KafkaNode, postgres_url: str, empty_postgres_url: str
) -> None:
    migrate(empty_postgres_url, origin="tests.example/another-store")
    publish(fresh_topics.connection, _spread(MESSAGES))
    with recorder(fresh_topics.connection, postgres_url) as one, running(one):
        until(lambda: one.tally.recorded == len(MESSAGES))

        other = record_all(fresh_topics.connection, empty_postgres_url)

    assert other.recorded == len(MESSAGES)


def _spread(messages: list[Message]) -> list[Message]:
    """On all partitions in turn, so that every recorder has something to do."""
    return [
        message._replace(partition=number % PARTITION_COUNT)
        for number, message in enumerate(messages)
    ]


def _member_count(kafka: KafkaNode, group: str) -> int:
    """Recorders that have partitions."""
    return len(_members(kafka, group))


def _members(kafka: KafkaNode, group: str) -> set[str]:
    """The ids of the recorders that have partitions: who was given up comes back as another."""
    client = admin(kafka.connection)
    try:
        members = client.describe_groups([group])[group]["members"]
    finally:
        client.close()
    return {member["member_id"] for member in members if member["member_assignment"]}
