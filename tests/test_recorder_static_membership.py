"""A recorder with a name of its own comes back to its partitions, and no other is disturbed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish
from recorder_process import RecorderProcess, members, recorder_process
from replayed_cohort import of_procedure
from sqlalchemy import make_url
from waiting import until

from cryotrail_schemas.topics import PARTITION_COUNT

MESSAGES = [
    message_of(event)._replace(partition=number % PARTITION_COUNT)
    for number, event in enumerate(of_procedure("R01")[:200])
]


def claims(url: str, pid: int) -> list[tuple[int, int, int]]:
    """Topic, partition and epoch of all that a process ever claimed."""
    at = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(at) as connection:
        rows = connection.execute(
            "select topic_id, part, epoch from audit.claim where owner like %s order by 1, 2, 3",
            [f"%/{pid}/%"],
        )
        return list(rows)


def test_a_restart_moves_no_partition_of_the_others(
    fresh_topics: KafkaNode, postgres_url: str, tmp_path: Path
) -> None:
    def named(name: str) -> AbstractContextManager[RecorderProcess]:
        return recorder_process(fresh_topics, postgres_url, tmp_path, RECORDER_INSTANCE=name)

    def recorded() -> int:
        return len(all_entries(postgres_url, kinds=(0,)))

    with named("or-1") as first:
        until(lambda: len(claims(postgres_url, first.process.pid)) == 2 * PARTITION_COUNT)
        with named("or-2") as second:
            until(lambda: len(claims(postgres_url, second.process.pid)) == PARTITION_COUNT)
            publish(fresh_topics.connection, MESSAGES[:100])
            until(lambda: recorded() == 100)
            before = members(fresh_topics, postgres_url)
            undisturbed = claims(postgres_url, second.process.pid)
            first.process.kill()
            with named("or-1") as again:
                publish(fresh_topics.connection, MESSAGES[100:])
                until(lambda: recorded() == len(MESSAGES))

                assert len(claims(postgres_url, again.process.pid)) == PARTITION_COUNT
                assert claims(postgres_url, second.process.pid) == undisturbed
                assert len(members(fresh_topics, postgres_url)) == len(before) == 2


def test_of_two_with_one_name_the_displaced_one_ends_and_says_why(
    fresh_topics: KafkaNode, postgres_url: str, tmp_path: Path
) -> None:
    """They would displace each other for ever, and claim all partitions each time."""
    with (
        recorder_process(fresh_topics, postgres_url, tmp_path, RECORDER_INSTANCE="or-1") as first,
        recorder_process(fresh_topics, postgres_url, tmp_path, RECORDER_INSTANCE="or-1") as second,
    ):
        both = (first, second)
        until(lambda: any(one.process.poll() is not None for one in both), 60.0)
        (ended,) = [one for one in both if one.process.poll() is not None]
        assert ended.process.returncode == 1
        assert "another recorder joined the group under this one's name" in ended.said()
        assert "CRYOTRAIL_RECORDER_INSTANCE" in ended.said()

        publish(fresh_topics.connection, MESSAGES)
        until(lambda: len(all_entries(postgres_url, kinds=(0,))) == len(MESSAGES), 60.0)
        assert [one.process.poll() for one in both if one is not ended] == [None]
