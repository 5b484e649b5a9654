"""A procedure event does not wait for the telemetry that waits."""

from __future__ import annotations

from itertools import islice
from uuid import uuid4

from kafka_fixtures import KafkaNode
from many_messages import many_messages
from recorded_kafka import Place, all_entries, message_of, places_of, publish, recorder
from room_events import freeze

from cryotrail_consumers.recording.tally import Tally
from cryotrail_schemas.topics import PROBE_TELEMETRY

BACKLOG = 20_000
AT_MOST_BEFORE = 8_000
"""Chunks in two answers of the broker, and some: the one under way, and the one that brings it."""


def test_a_procedure_event_is_recorded_long_before_the_backlog_of_telemetry_is(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    chunks = (one for one in many_messages(2 * BACKLOG) if one.topic == PROBE_TELEMETRY)
    publish(fresh_topics.connection, islice(chunks, BACKLOG))
    event = message_of(freeze(uuid4()))
    published: dict[Place, int] = {}

    def publish_one(tally: Tally) -> None:
        """After the first transaction: what is read by now or under way comes before the event."""
        if not published:
            (place,) = publish(fresh_topics.connection, [event])
            published[place] = tally.records

    with recorder(fresh_topics.connection, sqlite_url) as one:
        one.run(until_caught_up=True, on_batch=publish_one)

    (place,), (before,) = published.keys(), published.values()
    entries = all_entries(sqlite_url, kinds=(0,))
    (found,) = [entry for entry in entries if entry.raw == event.value]
    assert places_of([found], sqlite_url) == {place}
    assert found.seq - before < AT_MOST_BEFORE
    assert len(entries) > BACKLOG
