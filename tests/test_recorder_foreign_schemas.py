"""Bodies that were written with schemas of others, known by a registry's id."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import fastavro
import pytest
from kafka_fixtures import KafkaNode
from recorded_kafka import Message, all_entries, message_of, publish, record_all
from registry_fixtures import RegistryProcess
from replayed_cohort import of_procedure

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_schemas.catalog import catalog, event_type_of
from cryotrail_schemas.codec import decode_plain, encode
from cryotrail_schemas.events import ProcedureStarted
from cryotrail_schemas.framing import frame_confluent, frame_single_object
from cryotrail_schemas.topics import PROCEDURE_EVENTS

EVENT = next(one for one in of_procedure("R01") if isinstance(one, ProcedureStarted))
RELEASED = catalog().current("ProcedureStarted")
KEY = str(EVENT.header.procedure_id).encode()


def _message(schema_id: int, body: bytes | None = None) -> Message:
    return Message(PROCEDURE_EVENTS, KEY, frame_confluent(schema_id, body or encode(EVENT)))


def _changed(**changes: Any) -> str:
    return json.dumps(json.loads(RELEASED.text) | changes)


def test_the_registry_is_asked_once_for_a_schema(
    fresh_topics: KafkaNode, sqlite_url: str, registry: RegistryProcess
) -> None:
    schema_id = registry.register("cryotrail.events.ProcedureStarted", RELEASED.text)
    publish(fresh_topics.connection, [_message(schema_id), _message(schema_id)])

    tally = record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    assert (tally.recorded, tally.redelivered) == (1, 1)
    assert sum("/schemas/ids/" in line for line in registry.requests()) == 1


def test_a_text_that_differs_in_documentation_gets_its_own_row(
    fresh_topics: KafkaNode, store_url: str, registry: RegistryProcess
) -> None:
    text = _changed(doc="as our vendor words it")
    schema_id = registry.register("vendor.ProcedureStarted", text)
    publish(fresh_topics.connection, [_message(schema_id)])

    record_all(fresh_topics.connection, store_url, SchemaRegistry(registry.url))

    (entry,) = all_entries(store_url, kinds=(0,))
    store = open_store(store_url)
    stored = store.schemas()[entry.schema_sha256 or b""]
    store.close()
    assert (json.loads(stored.text), stored.version) == (json.loads(text), None)
    assert (entry.event_type, entry.reason) == ("ProcedureStarted", None)


def test_another_meaning_under_a_known_fingerprint_is_quarantined(
    fresh_topics: KafkaNode, sqlite_url: str, registry: RegistryProcess
) -> None:
    """CRC-64-AVRO does not see logical types, so this text has the released one's fingerprint."""
    text = RELEASED.text.replace("timestamp-micros", "timestamp-millis")
    assert event_type_of(text).fingerprint == RELEASED.fingerprint
    schema_id = registry.register("vendor.ProcedureStarted", text)
    publish(fresh_topics.connection, [_message(schema_id), message_of(EVENT)])

    tally = record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    (kept,) = all_entries(sqlite_url, kinds=(2,))
    assert (kept.reason, tally.recorded) == ("fingerprint_collision", 1)


@pytest.mark.parametrize(
    ("name", "event_type"),
    [("ConsoleRestarted", "ConsoleRestarted"), ("vendor.Restarted", "vendor.Restarted")],
)
def test_a_type_that_the_catalog_does_not_have_is_recorded_and_flagged(
    fresh_topics: KafkaNode,
    sqlite_url: str,
    registry: RegistryProcess,
    name: str,
    event_type: str,
) -> None:
    schema_id = registry.register(name, _changed(name=name))
    publish(fresh_topics.connection, [_message(schema_id)])

    record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    (entry,) = all_entries(sqlite_url, kinds=(0,))
    assert (entry.event_type, entry.reason) == (event_type, "unknown_type")
    assert entry.event_id == EVENT.header.event_id.bytes


def test_a_schema_that_the_store_knows_is_read_without_the_registry(
    fresh_topics: KafkaNode, sqlite_url: str, registry: RegistryProcess
) -> None:
    text = _changed(name="ConsoleRestarted")
    schema_id = registry.register("ConsoleRestarted", text)
    publish(fresh_topics.connection, [_message(schema_id)])
    record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))
    value = frame_single_object(event_type_of(text), encode(EVENT))
    publish(fresh_topics.connection, [Message(PROCEDURE_EVENTS, KEY, value)])

    tally = record_all(fresh_topics.connection, sqlite_url)

    assert (tally.redelivered, tally.quarantined) == (1, 0)


def test_a_record_without_our_header_is_quarantined(
    fresh_topics: KafkaNode, sqlite_url: str, registry: RegistryProcess
) -> None:
    schema = {"type": "record", "name": "Reading", "fields": [{"name": "cel", "type": "double"}]}
    schema_id = registry.register("Reading", json.dumps(schema))
    body = BytesIO()
    fastavro.schemaless_writer(body, schema, {"cel": -142.5})
    publish(fresh_topics.connection, [_message(schema_id, body.getvalue())])

    record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    (kept,) = all_entries(sqlite_url, kinds=(2,))
    assert kept.reason == "invalid_value"


WRONGLY_TYPED = [
    ("personal_key_id", "string", "key 7"),
    ("personal_key_id", "int", 7),
    ("occurred_at", "double", 1.5e15),
    ("occurred_at", "boolean", True),
]
"""Header field, the type that a stranger gives it, and a value of that type."""


def _with_header_field(name: str, avro_type: str, value: Any) -> tuple[str, bytes]:
    """The released schema and the event with one field of the header changed."""
    schema = json.loads(RELEASED.text)
    header = next(field for field in schema["fields"] if field["name"] == "header")
    (field,) = [field for field in header["type"]["fields"] if field["name"] == name]
    field.pop("default", None)
    field["type"] = avro_type
    plain = decode_plain(encode(EVENT), RELEASED)
    body = BytesIO()
    changed = plain | {"header": plain["header"] | {name: value}}
    fastavro.schemaless_writer(body, event_type_of(json.dumps(schema)).plain, changed)
    return json.dumps(schema), body.getvalue()


@pytest.mark.parametrize(("name", "avro_type", "value"), WRONGLY_TYPED)
def test_a_header_field_of_a_type_that_no_event_has_is_quarantined(
    fresh_topics: KafkaNode,
    sqlite_url: str,
    registry: RegistryProcess,
    name: str,
    avro_type: str,
    value: Any,
) -> None:
    text, body = _with_header_field(name, avro_type, value)
    message = _message(registry.register("vendor.ProcedureStarted", text), body)
    publish(fresh_topics.connection, [message, message_of(EVENT)])

    tally = record_all(fresh_topics.connection, sqlite_url, SchemaRegistry(registry.url))

    (kept,) = all_entries(sqlite_url, kinds=(2,))
    assert (kept.reason, kept.raw) == ("invalid_value", message.value)
    assert tally.recorded == 1


def test_a_value_that_the_checks_let_through_and_no_column_holds_is_quarantined(
    fresh_topics: KafkaNode,
    store_url: str,
    registry: RegistryProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "cryotrail_consumers.decoding.decoding.check_plain", lambda plain, type_name: None
    )
    text, body = _with_header_field(*WRONGLY_TYPED[0])
    message = _message(registry.register("vendor.ProcedureStarted", text), body)
    publish(fresh_topics.connection, [message, message_of(EVENT)])

    tally = record_all(fresh_topics.connection, store_url, SchemaRegistry(registry.url))

    (kept,) = all_entries(store_url, kinds=(2,))
    assert (kept.reason, kept.raw, kept.schema_sha256) == ("invalid_value", message.value, None)
    assert tally.recorded == 1
    assert verify(store_url).result == "intact"
