"""A schema under which a few bytes would exhaust memory or stack is refused before it is used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cryotrail_schemas.bounded_schema import MOST_LEVELS
from cryotrail_schemas.catalog import catalog, event_type_of
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.errors import SchemaError

EMPTY = {"type": "record", "name": "Empty", "fields": []}


def record(*types: Any, name: str = "Foreign") -> dict[str, Any]:
    fields = [{"name": f"field_{number}", "type": one} for number, one in enumerate(types)]
    return {"type": "record", "name": name, "namespace": "lab", "fields": fields}


def chain(length: int) -> dict[str, Any]:
    """Records that contain each other, and no definition that lies within another but the first."""
    links = [record("int", name="Link0")]
    links += [record(f"Link{number - 1}", name=f"Link{number}") for number in range(1, length)]
    return record(*links)


@pytest.mark.parametrize(
    "definition",
    [
        record({"type": "array", "items": "null"}),
        record({"type": "array", "items": {"type": "null"}}),
        record({"type": "map", "values": "null"}),
        record({"type": "array", "items": EMPTY}),
        record({"type": "map", "values": EMPTY}),
        record({"type": "array", "items": record("null", name="Hollow")}),
        record({"type": "array", "items": {"type": "fixed", "name": "Nothing", "size": 0}}),
        record(["null", EMPTY], {"type": "array", "items": "Empty"}),
        record(["null", record({"type": "array", "items": "null"}, name="Within")]),
    ],
)
def test_what_takes_no_bytes_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="no bytes"):
        event_type_of(json.dumps(definition))


@pytest.mark.parametrize(
    "definition",
    [
        record("Foreign"),
        record(["null", "Foreign"]),
        record({"type": "array", "items": "lab.Foreign"}),
        record(record({"type": "map", "values": "Foreign"}, name="Within")),
        # A property that looks like a definition's name does not end the definition.
        record({"type": "array", "items": "int", "name": "lab.Foreign"}, ["null", "Foreign"]),
    ],
)
def test_a_record_within_itself_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=r"lab\.Foreign contains itself"):
        event_type_of(json.dumps(definition))


def test_a_schema_that_nests_deeper_than_the_stack_is_refused() -> None:
    assert event_type_of(json.dumps(chain(MOST_LEVELS - 1))).name == "lab.Foreign"

    for levels in (MOST_LEVELS, 20_000):
        with pytest.raises(SchemaError, match=f"more than {MOST_LEVELS} levels"):
            event_type_of(json.dumps(chain(levels)))


def test_brackets_without_end_are_refused() -> None:
    nested = '{"type":"array","items":' * 900 + '"int"' + "}" * 900
    text = json.dumps(record("int")).replace('"int"', nested)

    with pytest.raises(SchemaError):
        event_type_of(text)


def test_the_marks_of_a_parsed_schema_do_not_make_a_text_pass_unseen() -> None:
    hidden = record({"type": "array", "items": "Empty"})
    hidden |= {"__fastavro_parsed": True, "__named_schemas": {"Empty": EMPTY}}

    with pytest.raises(SchemaError, match="Empty"):
        event_type_of(json.dumps(hidden))


def test_a_schema_of_everything_that_takes_bytes_is_read_with() -> None:
    everything = record(
        ["null", "int"],
        {"type": "array", "items": ["null", "string"]},
        {"type": "map", "values": record("boolean", name="Inner")},
        "Inner",
        {"type": "fixed", "name": "One", "size": 1},
        {"type": "enum", "name": "Side", "symbols": ["LEFT"]},
    )

    event_type = event_type_of(json.dumps(everything))

    assert decode_plain(b"\x00\x02\x00\x00\x00\x01a\x00", event_type) == {
        "field_0": None,
        "field_1": [None],
        "field_2": {},
        "field_3": {"field_0": True},
        "field_4": b"a",
        "field_5": "LEFT",
    }


def test_every_released_schema_is_bounded() -> None:
    for released in catalog():
        assert event_type_of(released.text).name == released.name
