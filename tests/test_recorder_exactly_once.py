"""Every record that Kafka holds is recorded once, in order, wherever the recorder begins again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from confluent_kafka import Producer
from kafka.structs import OffsetAndMetadata, TopicPartition
from kafka_fixtures import KafkaNode
from recorded_kafka import (
    Message,
    all_entries,
    group_at,
    message_of,
    places_of,
    publish,
    record_all,
)
from replayed_cohort import of_procedure

from cryotrail_audit.records import Entry
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.kafka_clients import admin
from cryotrail_schemas.events import ProcedureStarted
from cryotrail_schemas.topics import EVENT_TOPICS, PARTITION_COUNT


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """All events of two procedures, telemetry included, as their outbox would send them."""
    events = [*of_procedure("R01"), *of_procedure("R02")]
    return [message_of(event, number) for number, event in enumerate(events, start=1)]


def _identity(entry: Entry) -> tuple[object, ...]:
    return (entry.kafka_key, entry.raw, entry.producer_seq)


def test_every_event_is_recorded_once_and_in_the_order_of_its_partition(
    fresh_topics: KafkaNode, store_url: str, messages: list[Message]
) -> None:
    places = publish(fresh_topics.connection, messages)

    tally = record_all(fresh_topics.connection, store_url)

    entries = all_entries(store_url, kinds=(0,))
    assert tally.recorded == len(entries) == len(messages)
    assert (tally.redelivered, tally.conflicts, tally.quarantined, tally.alarms) == (0, 0, 0, 0)
    assert places_of(entries, store_url) == set(places)
    for topic_id in {entry.topic_id for entry in entries}:
        for part in range(PARTITION_COUNT):
            offsets = [
                entry.kafka_offset
                for entry in entries
                if (entry.topic_id, entry.part) == (topic_id, part)
            ]
            assert offsets == list(range(len(offsets)))
    assert verify(store_url).result == "intact"


def test_the_columns_are_those_of_the_body_and_of_its_delivery(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    (event,) = [one for one in of_procedure("R01") if isinstance(one, ProcedureStarted)]
    message = message_of(event, producer_seq=7)
    (place,) = publish(fresh_topics.connection, [message])

    record_all(fresh_topics.connection, store_url)

    (entry,) = all_entries(store_url, kinds=(0,))
    assert entry.event_id == event.header.event_id.bytes
    assert entry.procedure_id == event.header.procedure_id.bytes
    assert entry.event_type == "ProcedureStarted"
    assert entry.occurred_us == int(event.header.occurred_at.timestamp() * 1_000_000)
    assert (entry.producer_id, entry.producer_seq, entry.procedure_seq) == ("test-outbox", 7, 7)
    assert (entry.part, entry.kafka_offset, entry.incarnation) == (place.partition, place.offset, 0)
    assert (entry.kafka_key, entry.raw) == (message.key, message.value)
    assert entry.reason is None
    assert (
        entry.kafka_headers is not None
        and b"ce_producerseq\x00\x00\x00\x017" in entry.kafka_headers
    )
    store = open_store(store_url)
    schema = store.schemas()[entry.schema_sha256 or b""]
    store.close()
    assert (schema.event_type, schema.version) == ("ProcedureStarted", 1)


def test_a_schema_and_a_topic_are_entries_before_the_first_record_that_names_them(
    fresh_topics: KafkaNode, sqlite_url: str, messages: list[Message]
) -> None:
    publish(fresh_topics.connection, messages[:30])

    record_all(fresh_topics.connection, sqlite_url)

    said: dict[str, list[bytes]] = {"topic": [], "schema": []}
    for entry in all_entries(sqlite_url):
        if entry.kind == 3:
            said[entry.event_type or ""].append(entry.raw or b"")
            continue
        assert entry.schema_sha256 is not None
        assert any(entry.schema_sha256.hex().encode() in raw for raw in said["schema"])
        assert any(b'"topic_id": %d' % (entry.topic_id or 0) in raw for raw in said["topic"])


def test_a_restart_goes_on_where_the_store_stands(
    fresh_topics: KafkaNode, store_url: str, messages: list[Message]
) -> None:
    publish(fresh_topics.connection, messages[:100])
    first = record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, messages[100:150])

    second = record_all(fresh_topics.connection, store_url)
    third = record_all(fresh_topics.connection, store_url)

    assert (first.recorded, second.recorded, third.records) == (100, 50, 0)
    assert [entry.raw for entry in all_entries(store_url, kinds=(0,))].count(messages[0].value) == 1


@pytest.mark.parametrize("lie", ["ahead", "back"])
def test_offsets_that_the_group_committed_are_not_believed(
    fresh_topics: KafkaNode, store_url: str, messages: list[Message], lie: str
) -> None:
    publish(fresh_topics.connection, messages[:200])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, messages[200:300])
    offset = 10_000 if lie == "ahead" else 0
    lies = {
        TopicPartition(topic, part): OffsetAndMetadata(offset, "", -1)
        for topic in EVENT_TOPICS
        for part in range(PARTITION_COUNT)
    }
    client = admin(fresh_topics.connection)
    client.alter_group_offsets(group_at(store_url), lies)
    client.close()

    tally = record_all(fresh_topics.connection, store_url)

    assert (tally.recorded, tally.redelivered) == (100, 0)


def test_the_position_is_shown_to_lag_tools(
    fresh_topics: KafkaNode, store_url: str, messages: list[Message]
) -> None:
    places = publish(fresh_topics.connection, messages[:20])

    record_all(fresh_topics.connection, store_url)

    client = admin(fresh_topics.connection)
    group = group_at(store_url)
    shown = client.list_group_offsets([group])[group]
    client.close()
    last = places[-1]
    assert shown[TopicPartition(last.topic, last.partition)].offset == last.offset + 1


def test_the_same_event_sent_again_is_a_redelivery(
    fresh_topics: KafkaNode, store_url: str, messages: list[Message]
) -> None:
    publish(fresh_topics.connection, messages[:40])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, [*messages[:40], messages[40], messages[40]])

    tally = record_all(fresh_topics.connection, store_url)

    store = open_store(store_url)
    counts = store.counts()
    store.close()
    assert (tally.recorded, tally.redelivered, tally.conflicts) == (1, 41, 0)
    assert (counts.events, counts.redeliveries) == (41, 41)
    assert verify(store_url).result == "intact"


def test_the_same_event_id_with_other_content_is_kept_as_a_conflict(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    (event,) = [one for one in of_procedure("R01") if isinstance(one, ProcedureStarted)]
    other = replace(event, planned_probe_count=9)
    publish(fresh_topics.connection, [message_of(event), message_of(other)])

    tally = record_all(fresh_topics.connection, store_url)

    (conflict,) = all_entries(store_url, kinds=(1,))
    assert (tally.recorded, tally.conflicts) == (1, 1)
    assert conflict.event_id == event.header.event_id.bytes
    assert conflict.raw == message_of(other).value
    assert (conflict.kafka_offset, conflict.procedure_entry_no) == (1, 2)


def test_of_a_foreign_transaction_only_what_was_committed_is_recorded(
    fresh_topics: KafkaNode, sqlite_url: str, messages: list[Message]
) -> None:
    foreign = Producer(
        {
            "bootstrap.servers": fresh_topics.bootstrap,
            "partitioner": "murmur2_random",
            "transactional.id": "foreign-gateway",
        }
    )
    foreign.init_transactions(30)
    outcomes = []
    for number, end in enumerate((foreign.commit_transaction, foreign.abort_transaction) * 2):
        foreign.begin_transaction()
        for message in messages[number * 10 : number * 10 + 10]:
            foreign.produce(message.topic, key=message.key, value=message.value)
        end(30)
        outcomes.append(record_all(fresh_topics.connection, sqlite_url))

    assert [outcome.recorded for outcome in outcomes] == [10, 0, 10, 0]
    assert [outcome.alarms for outcome in outcomes] == [0, 0, 0, 0]
    assert [entry.raw for entry in all_entries(sqlite_url, kinds=(0,))] == [
        message.value for message in [*messages[:10], *messages[20:30]]
    ]
