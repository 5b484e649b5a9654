"""Kafka gives up what the store has recorded, and nothing else."""

from __future__ import annotations

from contextlib import closing

import pytest
from kafka.structs import TopicPartition
from kafka_fixtures import KafkaNode
from recorded_kafka import Message, message_of, publish, record_all
from replayed_cohort import discrete

from cryotrail.commands import kafka as kafka_command
from cryotrail.embedded.trim import PartitionTrim, trim_through_recorded
from cryotrail.settings import load_settings
from cryotrail_audit.store import open_store
from cryotrail_producers.kafka_clients import consumer
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS

GOOD = [message_of(event)._replace(partition=3) for event in discrete()[:9]]


def trimmed(kafka: KafkaNode, url: str, *, dry_run: bool = False) -> dict[int, PartitionTrim]:
    """What was done to the partitions that hold anything, by number; the others are empty."""
    with closing(open_store(url)) as store:
        done = trim_through_recorded(kafka.connection, store, [PROCEDURE_EVENTS], dry_run=dry_run)
    assert {one.outcome for one in done if not one.log_end} == {"empty"}
    return {one.partition: one for one in done if one.log_end}


def starts(kafka: KafkaNode, topic: str = PROCEDURE_EVENTS) -> dict[int, int]:
    with closing(consumer(kafka.connection)) as client:
        found = client.beginning_offsets([TopicPartition(topic, part) for part in range(12)])
    return {partition.partition: start for partition, start in found.items() if start}


def test_records_are_deleted_up_to_the_recorded_position_and_never_above(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    publish(fresh_topics.connection, GOOD[:5])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, [*GOOD[5:7], Message(PROCEDURE_EVENTS, None, b"x", (), 7)])

    looked = trimmed(fresh_topics, store_url, dry_run=True)
    assert starts(fresh_topics) == {}
    done = trimmed(fresh_topics, store_url)

    assert looked[3] == PartitionTrim(PROCEDURE_EVENTS, 3, "would trim", 0, 5, 7, 5)
    assert done[3] == looked[3]._replace(outcome="trimmed")
    assert (done[7].outcome, done[7].deleted) == ("not recorded", 0)
    assert starts(fresh_topics) == {3: 5}
    assert starts(fresh_topics, PROBE_TELEMETRY) == {}

    # The recorder goes on where it was, without an alarm, and a second trim follows it.
    tally = record_all(fresh_topics.connection, store_url)
    assert (tally.recorded, tally.alarms) == (2, 0)
    assert {part: one.deleted for part, one in trimmed(fresh_topics, store_url).items()} == {
        3: 2,
        7: 1,
    }
    again = trimmed(fresh_topics, store_url)
    assert {one.outcome for one in again.values()} == {"nothing to trim"}
    assert record_all(fresh_topics.connection, store_url).alarms == 0


def test_a_topic_that_is_not_the_recorded_one_is_left_alone(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, GOOD[:3])
    record_all(fresh_topics.connection, sqlite_url)
    fresh_topics.recreate_topics()
    publish(fresh_topics.connection, GOOD[3:9])

    done = trimmed(fresh_topics, sqlite_url)

    assert (done[3].outcome, done[3].deleted) == ("not the same log", 0)
    assert starts(fresh_topics) == {}


def test_trimming_needs_to_be_told_how_far(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        kafka_command.main(["trim"], load_settings({}))

    assert ended.value.code == 2
    assert "--through-recorded" in capsys.readouterr().err
