"""A recorder that shares the partitions, while its group hands them out anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from kafka.admin import NewTopic
from kafka_fixtures import KafkaNode
from recorded_kafka import group_at, recorder, running
from waiting import until

from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import SourceInterrupted
from cryotrail_consumers.reading.kafka_source import KafkaSource
from cryotrail_producers.kafka_clients import admin, consumer
from cryotrail_schemas.topics import EVENT_TOPICS, PROCEDURE_EVENTS

NOT_OURS = TopicPartition(PROCEDURE_EVENTS, 0)


@pytest.fixture
def unassigned(fresh_topics: KafkaNode) -> Iterator[KafkaSource]:
    """A member that has not been given any partition yet."""
    with closing(KafkaSource(fresh_topics.connection, EVENT_TOPICS, "tests", share=True)) as source:
        yield source


@pytest.fixture
def narrow_topic(kafka: KafkaNode) -> Iterator[str]:
    """A topic with one partition, so that a group of two leaves one member without any."""
    client = admin(kafka.connection)
    client.create_topics([NewTopic("tests.narrow", 1, 1)])
    yield "tests.narrow"
    client.delete_topics(["tests.narrow"])
    client.close()


@contextmanager
def _first_member(kafka: KafkaNode, group: str, topic: str) -> Iterator[None]:
    """Another member of a group, which the range assignor serves first: it goes by member id."""
    client = consumer(kafka.connection, client_id="0", group_id=group, auto_offset_reset="latest")
    assigned, leaving = threading.Event(), threading.Event()

    def poll() -> None:
        while not leaving.is_set():
            client.poll(timeout_ms=100)
            if client.assignment():
                assigned.set()

    client.topics()  # Whoever hands the partitions out must know them when the group forms.
    client.subscribe([topic])
    thread = threading.Thread(target=poll, name="first member")
    thread.start()
    try:
        assert assigned.wait(20)
        yield
    finally:
        leaving.set()
        thread.join(20)
        client.close()


def test_a_rebalance_that_ends_while_the_assignment_is_read_is_looked_at_again(
    unassigned: KafkaSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = unassigned._consumer
    known = client.assignment

    def ends_a_rebalance() -> object:
        partitions = known()
        unassigned.handed_out(())
        return partitions

    monkeypatch.setattr(client, "assignment", ends_a_rebalance)
    read = unassigned.assignment()
    monkeypatch.undo()

    assert read.generation != unassigned.assignment().generation


@pytest.mark.parametrize(
    "act",
    [
        lambda source: source.start({NOT_OURS: 0}),
        lambda source: source.has_reached({NOT_OURS: 0}),
    ],
)
def test_a_partition_that_moved_away_meanwhile_interrupts_the_source(
    unassigned: KafkaSource, act: Callable[[KafkaSource], object]
) -> None:
    with pytest.raises(SourceInterrupted):
        act(unassigned)


def test_a_member_without_partitions_has_caught_up(
    kafka: KafkaNode, postgres_url: str, narrow_topic: str
) -> None:
    with (
        _first_member(kafka, group_at(postgres_url), narrow_topic),
        recorder(kafka.connection, postgres_url, topics=[narrow_topic]) as one,
        running(one, until_caught_up=True) as thread,
    ):
        until(lambda: not thread.is_alive())

    assert one.tally.records == 0
