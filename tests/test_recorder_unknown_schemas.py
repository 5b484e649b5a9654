"""Producers that were deployed before the recorder hold their partition up; rubbish does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from unittest.mock import patch

import pytest
from kafka_fixtures import KafkaNode
from recorded_kafka import (
    Message,
    all_entries,
    message_of,
    places_of,
    publish,
    recorder,
    running,
)
from registry_fixtures import RegistryProcess
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.errors import StoreUnavailable
from cryotrail_audit.records import AppendOutcome, Entry, IncomingBatch
from cryotrail_audit.sql_store import SqlStore
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.recording.circuit_breaker import BreakerLimits
from cryotrail_consumers.recording.settings import RecorderSettings
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_schemas.catalog import EventType, catalog, event_type_of
from cryotrail_schemas.framing import frame_confluent, frame_single_object, parse_frame
from cryotrail_schemas.topics import PROCEDURE_EVENTS

SMALL = RecorderSettings(BreakerLimits(records=5, share=0.5, window_s=300.0))
HELD = TopicPartition(PROCEDURE_EVENTS, 3)
GOOD = [message_of(event)._replace(partition=3) for event in of_procedure("R01")[:40]]
ELSEWHERE = [message_of(event)._replace(partition=4) for event in of_procedure("R02")[:40]]


def newer_type() -> EventType:
    """A type as another release would have it, under the namespace of another installation."""
    plain = json.loads(catalog().current("FreezeStarted").text)
    plain["name"] = "FreezeStartedLater"
    plain["namespace"] = "lab.events"
    return event_type_of(json.dumps(plain))


NEWER = newer_type()


def as_newer(message: Message) -> Message:
    """The same bytes under a schema that nobody here has."""
    return message._replace(value=frame_single_object(NEWER, parse_frame(message.value).body))


FREEZES = [
    message_of(event)._replace(partition=3)
    for event in of_procedure("R01")
    if type(event).TYPE == "FreezeStarted"
]
UNKNOWN = [as_newer(message) for message in FREEZES for _ in range(4)]


def alarms(url: str) -> list[dict[str, object]]:
    return [
        json.loads(entry.raw or b"")
        for entry in all_entries(url, kinds=(3,))
        if entry.event_type == "unknown_schemas"
    ]


def quarantined(url: str) -> list[Entry]:
    return all_entries(url, kinds=(2,))


@contextmanager
def failing_appends(most: int) -> Iterator[None]:
    """The first appends of records meet a database that is away."""
    append, left = SqlStore.append, count(most, -1)

    def failing(store: SqlStore, batch: IncomingBatch) -> AppendOutcome:
        if batch.records and next(left) > 0:
            raise StoreUnavailable("the database is away")
        return append(store, batch)

    with patch.object(SqlStore, "append", failing):
        yield


def test_the_partition_is_held_before_anything_of_it_is_quarantined_and_the_others_go_on(
    fresh_topics: KafkaNode, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(UNKNOWN) > 5
    places = publish(fresh_topics.connection, [*GOOD, *UNKNOWN, *ELSEWHERE])
    with recorder(fresh_topics.connection, store_url, settings=SMALL) as one, running(one):
        until(lambda: one.tally.recorded == len(GOOD) + len(ELSEWHERE))
        until(lambda: HELD in one.tally.breakers)
        publish(fresh_topics.connection, [message_of(of_procedure("R03")[0])])
        until(lambda: one.tally.recorded == len(GOOD) + len(ELSEWHERE) + 1)

    assert quarantined(store_url) == []
    (alarm,) = alarms(store_url)
    assert alarm == {
        "decision": "held",
        "topic": HELD.topic,
        "partition": HELD.partition,
        "offset": places[len(GOOD)].offset,
        "unknown": len(UNKNOWN),
        "of": len(UNKNOWN),
        "schemas": [NEWER.fingerprint.hex()],
    }
    assert caplog.text.count("is held:") == 1
    assert one.tally.breaker_openings == 1
    assert verify(store_url).result == "intact"


def test_it_goes_on_by_itself_once_the_store_knows_the_schema(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    places = publish(fresh_topics.connection, [*GOOD, *UNKNOWN])
    with recorder(fresh_topics.connection, store_url, settings=SMALL) as one, running(one):
        until(lambda: HELD in one.tally.breakers)
        with closing(open_store(store_url)) as store:  # such as a recorder of the next release
            store.register_schema(NEWER.text, NEWER.fingerprint, "lab.events.FreezeLater", None)

        until(lambda: one.tally.records == len(GOOD) + len(UNKNOWN))
        until(lambda: not one.tally.breakers)

    assert quarantined(store_url) == []
    assert len(alarms(store_url)) == 1
    recorded = places_of(all_entries(store_url, kinds=(0, 1)), store_url)
    assert set(places[: len(GOOD)]) <= recorded


def test_it_goes_on_by_itself_once_the_registry_has_the_id(
    fresh_topics: KafkaNode, registry: RegistryProcess, sqlite_url: str
) -> None:
    first = json.dumps({"type": "record", "name": "lab.First", "fields": []})
    following = registry.register("lab.First", first) + 1
    unknown = [
        one._replace(value=frame_confluent(following, parse_frame(one.value).body))
        for one in FREEZES
        for _ in range(4)
    ]
    publish(fresh_topics.connection, unknown)
    client = SchemaRegistry(registry.url)
    with (
        recorder(fresh_topics.connection, sqlite_url, registry=client, settings=SMALL) as one,
        running(one),
    ):
        until(lambda: HELD in one.tally.breakers)
        assert one.tally.records == 0
        text = catalog().current("FreezeStarted").text
        assert registry.register("cryotrail.events.FreezeStarted", text) == following

        until(lambda: one.tally.records == len(unknown))

    assert quarantined(sqlite_url) == []
    assert alarms(sqlite_url)[0]["schemas"] == [f"registry id {following}"]


def test_rubbish_never_holds_anything_up(fresh_topics: KafkaNode, sqlite_url: str) -> None:
    value, key = GOOD[0].value or b"", GOOD[0].key
    rubbish = [
        None, b"", b"MSH|^~\\&|", b"\xc3\x01\xa0", value[:-3], value + b"\x00", bytes(300),
        b"\x00" * 4, value.replace(value[11:47], b"\x00" * 36),
    ] * 20  # fmt: skip
    publish(
        fresh_topics.connection,
        [*(Message(PROCEDURE_EVENTS, key, one, partition=3) for one in rubbish), *GOOD],
    )
    with recorder(fresh_topics.connection, sqlite_url, settings=SMALL) as one:
        tally = one.run(until_caught_up=True)

    assert (tally.quarantined, tally.recorded) == (len(rubbish), len(GOOD))
    assert (tally.breaker_openings, alarms(sqlite_url)) == (0, [])
    assert sum(tally.quarantined_by_reason.values()) == len(rubbish)


def test_an_operator_may_decide_to_quarantine_them_which_the_log_states(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    publish(fresh_topics.connection, [*GOOD, *UNKNOWN, *ELSEWHERE])
    with recorder(fresh_topics.connection, store_url, settings=SMALL) as one:
        first = one.run(until_caught_up=True)
    assert (first.records, list(first.breakers)) == (len(GOOD) + len(ELSEWHERE), [HELD])

    decided = RecorderSettings(SMALL.breaker, quarantine_unknown=True)
    with recorder(fresh_topics.connection, store_url, settings=decided) as one:
        second = one.run(until_caught_up=True)

    assert (second.quarantined, second.breakers) == (len(UNKNOWN), {})
    assert [entry.raw for entry in quarantined(store_url)] == [one.value for one in UNKNOWN]
    assert [alarm["decision"] for alarm in alarms(store_url)] == ["held", "quarantined"]


def test_a_restart_decides_again_before_it_records_any_of_them(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, [*UNKNOWN, *ELSEWHERE])
    for _ in range(3):
        with recorder(fresh_topics.connection, sqlite_url, settings=SMALL) as one:
            assert list(one.run(until_caught_up=True).breakers) == [HELD]

    assert quarantined(sqlite_url) == []


def test_what_stands_before_the_unknown_ones_is_not_lost_when_its_append_failed(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    """The breaker opens in the same turn: reading goes on where the store stands, not there."""
    places = publish(fresh_topics.connection, [*GOOD, *UNKNOWN])
    with (
        failing_appends(2),
        recorder(fresh_topics.connection, sqlite_url, settings=SMALL) as one,
        running(one),
    ):
        until(lambda: HELD in one.tally.breakers)
        with closing(open_store(sqlite_url)) as store:
            store.register_schema(NEWER.text, NEWER.fingerprint, "lab.events.FreezeLater", None)
        until(lambda: one.tally.records >= len(UNKNOWN))
        until(lambda: not one.tally.breakers)

    recorded = places_of(all_entries(sqlite_url, kinds=(0, 1)), sqlite_url)
    assert set(places[: len(GOOD)]) <= recorded
    assert one.tally.records == len(places)


def test_a_few_strays_do_not_add_up_while_the_database_is_away(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, UNKNOWN[:2])
    with (
        failing_appends(SMALL.breaker.records),
        recorder(fresh_topics.connection, sqlite_url, settings=SMALL) as one,
    ):
        tally = one.run(until_caught_up=True)

    assert (tally.quarantined, tally.breaker_openings) == (2, 0)
