"""A partition that stands still with records to give, and no reason, has its source opened anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition as KafkaTopicPartition
from kafka_fixtures import KafkaNode
from recorded_kafka import message_of, publish, running
from replayed_cohort import discrete
from waiting import until

from cryotrail_audit.store import AuditStore, open_store
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.reading.kafka_source import KafkaSource
from cryotrail_consumers.recording.recorder import Recorder
from cryotrail_consumers.recording.settings import RecorderSettings
from cryotrail_consumers.recording.stuck_watchdog import StuckWatchdog
from cryotrail_schemas.topics import EVENT_TOPICS, PROCEDURE_EVENTS

HERE, THERE = TopicPartition(PROCEDURE_EVENTS, 3), TopicPartition(PROCEDURE_EVENTS, 4)
MESSAGES = [message_of(event) for event in discrete()[:40]]

looks = st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 3), st.integers(0, 3)), max_size=40)


@given(looks)
def test_a_partition_that_moves_or_has_nothing_to_give_is_never_stuck(
    looks: list[tuple[float, int, int]],
) -> None:
    watchdog, now_s, position = StuckWatchdog(30.0), 0.0, 0
    for elapsed_s, moved, waiting in looks:
        now_s += elapsed_s
        position += moved
        end = position + (waiting if moved else 0)
        assert watchdog.look({HERE: position}, {HERE: end}, now_s) == []


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=200))
def test_one_that_stands_still_is_found_after_so_long_and_not_before(pauses: list[float]) -> None:
    watchdog, now_s = StuckWatchdog(30.0), 0.0
    watchdog.look({HERE: 5, THERE: 0}, {HERE: 9, THERE: 100}, now_s)
    for number, elapsed_s in enumerate(pauses):
        now_s += elapsed_s
        stuck = watchdog.look({HERE: 5, THERE: number + 1}, {HERE: 9, THERE: 1000}, now_s)
        assert stuck == ([HERE] if now_s >= 30.0 - 1e-6 else []) or abs(now_s - 30.0) < 1e-6


def test_a_process_that_was_stopped_for_long_has_not_seen_it_standing_still() -> None:
    watchdog = StuckWatchdog(30.0)
    for now_s in (0.0, 5.0, 5000.0):
        assert watchdog.look({HERE: 5}, {HERE: 9}, now_s) == []


def test_one_that_something_known_holds_up_is_left_out() -> None:
    watchdog = StuckWatchdog(30.0)
    watchdog.look({HERE: 5}, {HERE: 9}, 0.0)

    assert [watchdog.look({}, {HERE: 9}, 10.0 * n) for n in range(1, 10)] == [[]] * 9


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[AuditStore]:
    with closing(open_store(sqlite_url)) as store:
        yield store


def test_a_partition_that_is_paused_behind_the_recorders_back_is_read_on(
    fresh_topics: KafkaNode, sqlite_store: AuditStore, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[KafkaSource] = []

    def open_source() -> KafkaSource:
        opened.append(KafkaSource(fresh_topics.connection, EVENT_TOPICS, "tests.watchdog"))
        return opened[-1]

    recorder = Recorder(
        sqlite_store,
        open_source,
        RecordDecoder(KnownSchemas(sqlite_store)),
        settings=RecorderSettings(stuck_after_s=1.5),
    )
    with running(recorder):
        publish(fresh_topics.connection, [one._replace(partition=3) for one in MESSAGES[:10]])
        until(lambda: recorder.tally.recorded == 10)
        # What kafka-python 3.0.8 did after a rebalance: nothing comes, and nothing is said.
        opened[0]._consumer.pause(KafkaTopicPartition(*HERE))
        publish(fresh_topics.connection, [one._replace(partition=3) for one in MESSAGES[10:30]])
        publish(fresh_topics.connection, [one._replace(partition=4) for one in MESSAGES[30:]])
        until(lambda: recorder.tally.recorded == 20)
        until(lambda: recorder.tally.lag.get(HERE) == 20)

        until(lambda: recorder.tally.recorded == len(MESSAGES))

    assert recorder.tally.stuck_restarts == 1
    assert len(opened) == 2
    assert f"stood still for 1.5 s although more is there: {HERE}" in caplog.text
    assert recorder.tally.redelivered == 0
