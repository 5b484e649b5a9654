"""The verifier's own Avro reader says of any event what fastavro and the store say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from exported_bundles import VERIFIER
from fastavro import schemaless_writer
from generated_events import any_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryotrail_audit.bundle.encoding import json_text
from cryotrail_audit.bundle.readable import parsed_schema, readable_body
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode
from cryotrail_schemas.json_form import event_to_json

TYPES = sorted(event_type.name for event_type in catalog().current_versions())


def read_here(text: str, body: bytes) -> Any:
    """What the one-file verifier makes of a body; None when it cannot be read."""
    try:
        return VERIFIER.decoded(body, VERIFIER.parse_schema("schema", text))
    except VERIFIER.Unreadable:
        return None


def test_all_46_types_are_compared() -> None:
    assert len(TYPES) == 46


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_readers_and_the_publishers_form_agree(name: str, data: Any) -> None:
    event = data.draw(any_event(name))
    text, body = catalog().current(name).text, encode(event)

    here = read_here(text, body)

    assert json_text(here) == json_text(event_to_json(event))
    assert json_text(here) == json_text(readable_body(body, parsed_schema(text)))


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(TYPES), body=st.binary(max_size=200))
def test_any_bytes_are_read_by_both_or_by_neither(name: str, body: bytes) -> None:
    text = catalog().current(name).text

    assert spelled(read_here(text, body)) == spelled(readable_body(body, parsed_schema(text)))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(TYPES), data=st.data())
def test_a_changed_body_is_read_by_both_or_by_neither(name: str, data: Any) -> None:
    text, body = catalog().current(name).text, bytearray(encode(data.draw(any_event(name))))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))

    here, there = read_here(text, bytes(body)), readable_body(bytes(body), parsed_schema(text))

    assert spelled(here) == spelled(there)


def spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def test_what_a_strangers_schema_may_hold_is_read_too() -> None:
    text = json.dumps(
        {
            "type": "record",
            "name": "example.Stranger",
            "fields": [
                {"name": "by_name", "type": {"type": "map", "values": ["null", "double"]}},
                {"name": "fixed", "type": {"type": "fixed", "name": "Four", "size": 4}},
                {"name": "again", "type": "Four"},
                {"name": "bit", "type": "boolean"},
                {
                    "name": "inner",
                    "type": {"type": "record", "name": "other.Inner", "fields": [
                        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                        {"name": "amount", "type": {
                            "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
                    ]},
                },
                {"name": "either", "type": ["other.Inner", "string", {"type": "int",
                    "logicalType": "date"}]},
                {"name": "not_finite", "type": {"type": "array", "items": "float"}},
            ],
        }
    )  # fmt: skip
    record = {
        "by_name": {"a": None, "b": 0.5},
        "fixed": b"\x00\x01\x02\x03",
        "again": b"abcd",
        "bit": True,
        "inner": {"at": 1_790_000_000_123, "amount": b"\xff\x38"},
        "either": 20_000,
        "not_finite": [float("nan"), float("inf"), -float("inf"), 1.5],
    }
    from io import BytesIO

    buffer = BytesIO()
    plain = json.loads(text.replace('"logicalType"', '"unknown"'))
    schemaless_writer(buffer, plain, record)

    here = read_here(text, buffer.getvalue())

    assert here == readable_body(buffer.getvalue(), parsed_schema(text))
    assert here == {
        "type": "example.Stranger",
        "by_name": {"b": 0.5},
        "fixed": "00010203",
        "again": "61626364",
        "bit": True,
        "inner": {"at": 1_790_000_000_123, "amount": -2.0},
        "either": "2024-10-04",
        "not_finite": ["nan", "inf", "-inf", 1.5],
    }
