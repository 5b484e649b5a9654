"""A recorder that was given up for dead and comes back records nothing twice."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path

from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, recorder, running
from recorder_process import give_up_members, members, recorder_process
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.kafka_clients import producer
from cryotrail_schemas.topics import PARTITION_COUNT

MESSAGES = [
    message_of(event)._replace(partition=number % PARTITION_COUNT)
    for number, event in enumerate(of_procedure("R01")[:400])
]
ROUNDS = 5
"""At most: whether the stopped process has records in hand is the broker's to say each time."""


FENCED = "dropping all partitions"


def test_it_is_fenced_and_joins_again(
    fresh_topics: KafkaNode, postgres_url: str, tmp_path: Path
) -> None:
    size = len(MESSAGES) // (ROUNDS + 1)
    client = producer(fresh_topics.connection, linger_ms=0)

    def publish(number: int) -> int:
        """One part of the messages; how many there are by then."""
        for one in MESSAGES[number * size : (number + 1) * size]:
            client.send(one.topic, key=one.key, value=one.value, partition=one.partition)
        client.flush(timeout=30)
        return (number + 1) * size

    def recorded() -> int:
        return len(all_entries(postgres_url, kinds=(0,)))

    with (
        closing(client),
        recorder_process(fresh_topics, postgres_url, tmp_path) as zombie,
    ):
        count = publish(0)
        until(lambda: recorded() == count)
        for number in range(1, ROUNDS + 1):
            zombie.process.send_signal(signal.SIGSTOP)
            # At once, so that the fetch that the stopped process had asked for still brings them.
            count = publish(number)
            give_up_members(fresh_topics, postgres_url)
            with recorder(fresh_topics.connection, postgres_url) as one, running(one):
                until(lambda count=count: recorded() == count)
                zombie.process.send_signal(signal.SIGCONT)
                until(lambda: len(members(fresh_topics, postgres_url)) == 2)
            assert zombie.process.poll() is None
            if FENCED in zombie.said():
                break

    with closing(open_store(postgres_url)) as store:
        assert store.counts().events == count
        assert store.counts().redeliveries == 0
    assert verify(postgres_url).result == "intact"
    assert FENCED in zombie.said()
