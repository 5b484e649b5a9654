"""When Kafka loses records the log says so, and no new record is passed over."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from kafka.structs import TopicPartition
from kafka_damage import cut_tail, flip_last_byte
from kafka_fixtures import KafkaNode
from recorded_kafka import (
    Message,
    all_entries,
    message_of,
    publish,
    record_all,
    recorder,
    running,
)
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.records import Entry
from cryotrail_audit.verification import verify
from cryotrail_producers.kafka_clients import admin
from cryotrail_schemas.events import ProbeTelemetryChunk
from cryotrail_schemas.topics import EVENT_TOPICS, PARTITION_COUNT, PROCEDURE_EVENTS

# kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is refused.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

PARTITION = 4


def _messages(procedure: str) -> list[Message]:
    return [
        message_of(event)._replace(partition=PARTITION)
        for event in of_procedure(procedure)
        if not isinstance(event, ProbeTelemetryChunk)
    ]


MESSAGES = _messages("R09")
OLD, NEW = MESSAGES[:40], MESSAGES[40:]


def _alarms(url: str) -> list[dict[str, Any]]:
    said = [entry for entry in all_entries(url, kinds=(3,)) if entry.event_type == "loss_alarm"]
    return [json.loads(entry.raw or b"") for entry in said]


def _events(url: str, incarnation: int) -> list[Entry]:
    entries = all_entries(url, kinds=(0,))
    return [entry for entry in entries if entry.incarnation == incarnation]


def _cut(node: KafkaNode, keep: int) -> None:
    """A power cut that takes the tail of the partition with it."""
    node.kill()
    cut_tail(node, PROCEDURE_EVENTS, PARTITION, keep)
    node.start()


def test_a_topic_that_was_created_again_is_recorded_from_its_beginning(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    publish(fresh_topics.connection, OLD)
    record_all(fresh_topics.connection, store_url)
    fresh_topics.recreate_topics()
    publish(fresh_topics.connection, [*NEW, *OLD[:5]])

    tally = record_all(fresh_topics.connection, store_url)

    (alarm,) = _alarms(store_url)
    assert (alarm["loss"], alarm["partition"]) == ("topic_replaced", PARTITION)
    assert (alarm["expected_offset"], alarm["resumed_at"]) == (len(OLD), 0)
    assert alarm["topic_uuid"] != alarm["expected_topic_uuid"]
    assert (tally.alarms, tally.recorded, tally.redelivered) == (1, len(NEW), 5)
    assert [entry.raw for entry in _events(store_url, 1)] == [one.value for one in NEW]
    assert verify(store_url).result == "intact"
    assert record_all(fresh_topics.connection, store_url).alarms == 0


def test_a_topic_that_is_created_again_and_filled_behind_the_recorders_back_is_noticed(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, OLD[:20])
    record_all(fresh_topics.connection, sqlite_url)
    with recorder(fresh_topics.connection, sqlite_url) as one, running(one):
        publish(fresh_topics.connection, OLD[20:21])
        until(lambda: one.tally.recorded == 1)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as blocker:
            # The recorder holds a batch that it cannot append while all this happens.
            blocker.execute("begin immediate")
            publish(fresh_topics.connection, OLD[21:25])
            fresh_topics.recreate_topics()
            publish(fresh_topics.connection, NEW)
            blocker.rollback()

        until(lambda: len(_events(sqlite_url, 1)) == len(NEW))

    (alarm,) = _alarms(sqlite_url)
    assert (alarm["loss"], alarm["resumed_at"]) == ("topic_replaced", 0)
    assert [entry.raw for entry in _events(sqlite_url, 1)] == [one.value for one in NEW]


def test_a_log_that_lost_its_tail_goes_on_where_it_was_cut(
    fragile_kafka: KafkaNode, store_url: str
) -> None:
    node = fragile_kafka
    publish(node.connection, OLD, singly=True)
    record_all(node.connection, store_url)
    _cut(node, keep=25)
    publish(node.connection, NEW[:10])

    tally = record_all(node.connection, store_url)

    (alarm,) = _alarms(store_url)
    assert (alarm["loss"], alarm["log_end"], alarm["resumed_at"]) == ("tail_cut", 35, 25)
    assert (tally.recorded, tally.redelivered) == (10, 0)
    again = _events(store_url, 1)
    assert [(entry.kafka_offset, entry.raw) for entry in again] == [
        (25 + number, message.value) for number, message in enumerate(NEW[:10])
    ]
    assert len(_events(store_url, 0)) == len(OLD)
    assert verify(store_url).result == "intact"


def test_a_log_that_lost_its_tail_and_grew_beyond_it_goes_on_where_it_was_cut(
    fragile_kafka: KafkaNode, sqlite_url: str
) -> None:
    node = fragile_kafka
    publish(node.connection, OLD, singly=True)
    record_all(node.connection, sqlite_url)
    _cut(node, keep=25)
    publish(node.connection, NEW, singly=True)
    first = record_all(node.connection, sqlite_url)
    _cut(node, keep=60)
    publish(node.connection, OLD[25:])

    second = record_all(node.connection, sqlite_url)

    rewritten, cut = _alarms(sqlite_url)
    assert (rewritten["loss"], rewritten["resumed_at"]) == ("tail_rewritten", 25)
    assert (first.recorded, first.redelivered) == (len(NEW), 0)
    assert (cut["loss"], cut["expected_offset"]) == ("tail_cut", 25 + len(NEW))
    assert (cut["resumed_at"], cut["incarnation"]) == (60, 2)
    assert (second.recorded, second.redelivered) == (0, len(OLD) - 25)


def test_a_tail_that_is_sent_again_as_it_was_is_no_loss(
    fragile_kafka: KafkaNode, sqlite_url: str
) -> None:
    node = fragile_kafka
    publish(node.connection, OLD, singly=True)
    record_all(node.connection, sqlite_url)
    _cut(node, keep=25)
    publish(node.connection, [*OLD[25:], *NEW[:3]])

    tally = record_all(node.connection, sqlite_url)

    assert (tally.alarms, tally.recorded, tally.redelivered) == (0, 3, 0)


def test_a_running_recorder_notices_that_a_log_lost_its_tail(
    fragile_kafka: KafkaNode, sqlite_url: str
) -> None:
    node = fragile_kafka
    publish(node.connection, OLD, singly=True)
    with recorder(node.connection, sqlite_url) as one, running(one):
        until(lambda: one.tally.recorded == len(OLD))
        _cut(node, keep=25)
        publish(node.connection, NEW)

        until(lambda: one.tally.recorded == len(OLD) + len(NEW))

    (alarm,) = _alarms(sqlite_url)
    assert alarm["resumed_at"] == 25
    assert {entry.raw for entry in _events(sqlite_url, 1)} == {one.value for one in NEW}


def test_a_damaged_batch_is_never_passed_over_and_holds_up_its_partition_alone(
    fragile_kafka: KafkaNode, sqlite_url: str
) -> None:
    node = fragile_kafka
    publish(node.connection, OLD[:10], singly=True)
    node.stop()
    flip_last_byte(node, PROCEDURE_EVENTS, PARTITION)
    node.start()
    elsewhere = [one._replace(partition=PARTITION + 1) for one in NEW[:5]]
    publish(node.connection, [*OLD[10:20], *elsewhere])

    with recorder(node.connection, sqlite_url) as one, running(one):
        until(lambda: one.tally.recorded == 9 + 5)
        publish(node.connection, [NEW[5]._replace(partition=PARTITION + 1)])
        until(lambda: one.tally.recorded == 9 + 6)

    held_up = [entry for entry in _events(sqlite_url, 0) if entry.part == PARTITION]
    assert [entry.kafka_offset for entry in held_up] == list(range(9))
    assert one.tally.held_up == 1


def test_a_recorder_whose_partitions_are_all_held_up_has_caught_up(
    fragile_kafka: KafkaNode, sqlite_url: str
) -> None:
    node = fragile_kafka
    places = [(topic, part) for topic in EVENT_TOPICS for part in range(PARTITION_COUNT)]
    publish(node.connection, [Message(topic, None, b"?", (), part) for topic, part in places])
    node.stop()
    for topic, part in places:
        flip_last_byte(node, topic, part)
    node.start()

    with (
        recorder(node.connection, sqlite_url) as one,
        running(one, until_caught_up=True) as thread,
    ):
        until(lambda: not thread.is_alive())

    assert (one.tally.held_up, one.tally.records) == (len(places), 0)


def test_records_deleted_before_they_were_recorded_are_a_loss_and_the_rest_is_recorded(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    publish(fresh_topics.connection, OLD[:10])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, OLD[10:])
    _delete_before(fresh_topics, 30)

    tally = record_all(fresh_topics.connection, store_url)

    (alarm,) = _alarms(store_url)
    assert alarm["loss"] == "trimmed_unrecorded"
    assert (alarm["expected_offset"], alarm["log_start"]) == (10, 30)
    assert (tally.alarms, tally.recorded) == (1, len(OLD) - 30)


def test_a_log_whose_beginning_was_deleted_before_it_was_ever_seen_is_a_loss(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, OLD)
    _delete_before(fresh_topics, 30)

    tally = record_all(fresh_topics.connection, sqlite_url)

    (alarm,) = _alarms(sqlite_url)
    assert (alarm["loss"], alarm["expected_offset"]) == ("trimmed_unrecorded", 0)
    assert (tally.recorded, record_all(fresh_topics.connection, sqlite_url).alarms) == (10, 0)


def test_records_deleted_after_they_were_recorded_are_no_loss(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    publish(fresh_topics.connection, OLD)
    record_all(fresh_topics.connection, store_url)
    _delete_before(fresh_topics, len(OLD))
    publish(fresh_topics.connection, NEW[:4])

    tally = record_all(fresh_topics.connection, store_url)

    assert (tally.alarms, tally.recorded) == (0, 4)


def _delete_before(node: KafkaNode, offset: int) -> None:
    client = admin(node.connection)
    client.delete_records({TopicPartition(PROCEDURE_EVENTS, PARTITION): offset})
    client.close()
