"""Events that name their schema by a registry's id are recorded as those that name it themselves."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from kafka_fixtures import KafkaNode, home_settings
from published_records import published_records
from recorded_kafka import (
    Message,
    all_entries,
    message_of,
    publish,
    record_all,
    recorder,
    running,
)
from registry_fixtures import RegistryProcess
from replayed_cohort import of_procedure
from waiting import until

from cryotrail.publishing import publish_events
from cryotrail_audit.verification import verify
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_schemas.framing import frame_confluent, parse_frame
from cryotrail_schemas.topics import PROCEDURE_EVENTS

EVENTS = list(of_procedure("R01"))


def send(node: KafkaNode, home: Path, **settings: str) -> None:
    """Publish the events from an outbox of their own, as any other room would."""
    given = home_settings(home, KAFKA_BOOTSTRAP=node.bootstrap, **settings)
    assert publish_events(EVENTS, given).acknowledged == len(EVENTS)


@pytest.mark.parametrize("order", [("registry", "none"), ("none", "registry")])
def test_an_event_in_both_framings_counts_once(
    fresh_topics: KafkaNode,
    registry: RegistryProcess,
    store_url: str,
    tmp_path: Path,
    order: tuple[str, str],
) -> None:
    with_registry = {"SCHEMA_REGISTRY_URL": registry.url}
    for name in order:
        send(fresh_topics, tmp_path / name, **(with_registry if name == "registry" else {}))
    kinds = [parse_frame(one.value).kind for one in published_records(fresh_topics.connection)]
    assert kinds.count("confluent") == kinds.count("single_object") == len(EVENTS)

    tally = record_all(fresh_topics.connection, store_url, SchemaRegistry(registry.url))

    assert (tally.recorded, tally.redelivered) == (len(EVENTS), len(EVENTS))
    assert (tally.conflicts, tally.quarantined) == (0, 0)
    expected = {one.header.event_id.bytes: message_of(one) for one in EVENTS}
    entries = all_entries(store_url, kinds=(0,))
    assert {entry.event_id for entry in entries} == expected.keys()
    for entry in entries:
        body = parse_frame(expected[entry.event_id].value).body
        assert parse_frame(entry.raw).body == body
        assert entry.content_hash == sha256(body).digest()
        assert entry.reason is None
    assert verify(store_url).result == "intact"


def test_while_the_registry_is_away_recording_waits_and_then_goes_on(
    fresh_topics: KafkaNode,
    registry: RegistryProcess,
    sqlite_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    send(fresh_topics, tmp_path / "room", SCHEMA_REGISTRY_URL=registry.url)
    registry.stop()
    client = SchemaRegistry(registry.url)

    with recorder(fresh_topics.connection, sqlite_url, registry=client) as one, running(one):
        until(lambda: f"{registry.url} does not answer" in caplog.text)
        assert one.tally.records == 0
        registry.start()
        until(lambda: one.tally.records == len(EVENTS))

    assert (one.tally.recorded, one.tally.quarantined) == (len(EVENTS), 0)


def test_an_id_that_the_registry_does_not_have_is_quarantined(
    fresh_topics: KafkaNode, registry: RegistryProcess, sqlite_url: str
) -> None:
    good = message_of(EVENTS[0])
    body = parse_frame(good.value).body
    publish(
        fresh_topics.connection,
        [good._replace(value=frame_confluent(4711, body)), message_of(EVENTS[1])],
    )

    tally = record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    (kept,) = all_entries(sqlite_url, kinds=(2,))
    assert (kept.reason, kept.raw) == ("unknown_fingerprint", frame_confluent(4711, body))
    assert tally.recorded == 1


@pytest.mark.parametrize(
    ("field_type", "body"),
    [
        # 2**48 nulls in an array, in eight bytes; reading them would take the machine's memory.
        ({"type": "array", "items": "null"}, b"\x80\x80\x80\x80\x80\x80\x80\x01\x00"),
        # A list of 200,000 links, each within the one before; reading it would end the process.
        (["null", "lab.Bomb"], b"\x02" * 200_000 + b"\x00"),
    ],
)
def test_a_schema_that_bounds_nothing_is_not_read_with(
    fresh_topics: KafkaNode,
    registry: RegistryProcess,
    sqlite_url: str,
    field_type: object,
    body: bytes,
) -> None:
    fields = [{"name": "items", "type": field_type}]
    bomb = {"type": "record", "name": "lab.Bomb", "fields": fields}
    schema_id = registry.register("lab.Bomb", json.dumps(bomb))
    good = message_of(EVENTS[0])
    value = frame_confluent(schema_id, body)
    publish(fresh_topics.connection, [Message(PROCEDURE_EVENTS, good.key, value), good])

    tally = record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    (kept,) = all_entries(sqlite_url, kinds=(2,))
    assert (kept.reason, kept.raw) == ("undecodable", value)
    assert tally.recorded == 1
