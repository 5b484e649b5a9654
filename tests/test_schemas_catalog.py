"""The catalog finds every released version, and its fingerprints are those of the Avro tools."""

import json
import re

import avro.schema
import pytest
from fastavro.schema import fingerprint

from cryotrail_schemas.catalog import Catalog, EventType, catalog, event_type_of
from cryotrail_schemas.errors import SchemaError
from cryotrail_schemas.events import EVENT_CLASSES, Event


def test_there_are_forty_six_types_and_each_has_a_class():
    names = {event_type.name for event_type in catalog()}

    assert len(names) == 46
    assert names == EVENT_CLASSES.keys()
    assert all(
        issubclass(event_class, Event) and name == event_class.TYPE
        for name, event_class in EVENT_CLASSES.items()
    )


def test_the_fingerprint_is_crc_64_avro_as_it_stands_on_the_wire():
    # Avro specification, schema fingerprints: that of "int" is 0x7275d51a3f395c8f.
    assert bytes.fromhex(fingerprint('"int"', "CRC-64-AVRO")) == bytes.fromhex("8f5c393f1ad57572")


@pytest.mark.parametrize("name", EVENT_CLASSES)
def test_the_fingerprint_equals_that_of_apache_avro(name):
    event_type = catalog().current(name)

    canonical = avro.schema.parse(event_type.text).canonical_form
    # The specification's rule PRIMITIVES, which Apache's Java follows and its Python package
    # forgets for a primitive with a logical type: {"type":"long"} is written "long".
    canonical = re.sub(r'\{"type":("[a-z]+")\}', r"\1", canonical)

    assert fingerprint(canonical, "CRC-64-AVRO") == event_type.fingerprint.hex()


@pytest.mark.parametrize("name", EVENT_CLASSES)
def test_the_plain_schema_differs_in_annotations_only(name):
    event_type = catalog().current(name)

    assert "logicalType" not in json.dumps(event_type.plain)
    assert event_type_of(json.dumps(event_type.plain)).fingerprint == event_type.fingerprint


def test_a_version_is_found_by_its_fingerprint():
    for event_type in catalog():
        assert catalog().by_fingerprint(event_type.fingerprint) is event_type
    assert catalog().by_fingerprint(b"\0" * 8) is None


def test_the_newest_version_is_the_current_one():
    first = catalog().current("FreezeStarted")
    second = EventType("FreezeStarted", 2, first.text.replace('"probe_id"', '"probe_name"'))

    both = Catalog([second, first])

    assert both.current("FreezeStarted") is second
    assert both.versions("FreezeStarted") == [first, second]
    assert both.version("FreezeStarted", 1) is first
    assert list(both) == [first, second]
    assert both.by_fingerprint(first.fingerprint) is first


def test_an_unknown_type_or_version_is_refused_with_a_hint():
    with pytest.raises(SchemaError, match="unknown event type 'Nope'"):
        catalog().current("Nope")
    with pytest.raises(SchemaError, match="no version 9") as refused:
        catalog().version("FreezeStarted", 9)
    assert refused.value.hint


@pytest.mark.parametrize(
    "text", ["", "{}", '"string"', "nonsense", '{"type": "record", "name": "X"}']
)
def test_a_text_that_is_no_record_schema_is_refused(text):
    with pytest.raises(SchemaError, match="no Avro record schema"):
        event_type_of(text)


def test_a_record_of_another_namespace_never_passes_for_ours():
    ours = catalog().current("FreezeStarted").text
    foreign = ours.replace('"namespace": "cryotrail.events"', '"namespace": "other"', 1)
    foreign = foreign.replace('"cryotrail.events.', '"other.')

    assert event_type_of(ours).name == "FreezeStarted"
    assert event_type_of(foreign).name == "other.FreezeStarted"
