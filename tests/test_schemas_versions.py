"""Bodies of other versions are read, and content is compared across versions."""

import json
from io import BytesIO

import fastavro
import pytest
from event_samples import freeze_started, telemetry_chunk

from cryotrail_schemas import codec, events
from cryotrail_schemas.catalog import catalog, event_type_of
from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.errors import SchemaError, UndecodableRecord

FREEZE = catalog().current("FreezeStarted")


def changed(type_name, change):
    """The event type whose published definition ``change`` has edited in place."""
    definition = json.loads(catalog().current(type_name).text)
    change(definition)
    return event_type_of(json.dumps(definition))


def field(definition, name):
    return next(item for item in definition["fields"] if item["name"] == name)


def written(event, event_type, **changes):
    plain = {**record_form(event.TYPE).to_plain(event), **changes}
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, event_type.plain, plain)
    return buffer.getvalue()


def without_flow(definition):
    definition["fields"].remove(field(definition, "flow_pct"))


def with_nozzle(definition):
    nozzle = {"name": "nozzle_no", "type": ["null", "int"], "default": None, "doc": "Nozzle."}
    definition["fields"].insert(1, nozzle)


def with_a_new_quality(definition):
    field(definition, "quality")["type"]["symbols"].insert(1, "EXCELLENT")


def test_a_version_without_an_optional_field_is_read_as_null():
    older = changed("FreezeStarted", without_flow)
    body = written(freeze_started(), older)

    assert codec.decode(body, older) == freeze_started(flow_pct=None)


def test_a_field_that_this_class_does_not_know_is_left_in_the_bytes():
    newer = changed("FreezeStarted", with_nozzle)
    body = written(freeze_started(), newer, nozzle_no=4)

    assert codec.decode(body, newer) == freeze_started()
    assert codec.decode_plain(body, newer)["nozzle_no"] == 4


def test_a_symbol_newer_than_the_class_is_read_as_unknown():
    newer = changed("ProbeTelemetryChunk", with_a_new_quality)
    body = written(telemetry_chunk(), newer, quality="EXCELLENT")

    assert codec.decode(body, newer).quality is events.SampleQuality.UNKNOWN
    assert codec.decode_plain(body, newer)["quality"] == "EXCELLENT"


def test_a_version_that_does_not_resolve_is_a_schema_error():
    def with_text_cycles(definition):
        field(definition, "cycle_no")["type"] = "string"

    stranger = changed("FreezeStarted", with_text_cycles)
    body = written(freeze_started(), stranger, cycle_no="first")

    with pytest.raises(SchemaError, match="does not resolve"):
        codec.decode(body, stranger)


def test_a_uuid_that_is_none_is_an_invalid_value():
    plain = record_form("FreezeStarted").to_plain(freeze_started())
    body = written(freeze_started(), FREEZE, header={**plain["header"], "subject_id": "Jane"})

    with pytest.raises(UndecodableRecord) as refused:
        codec.decode(body, FREEZE)

    assert refused.value.code == "invalid_value"


def test_absent_and_null_are_the_same_content():
    newer = changed("FreezeStarted", with_nozzle)
    here = codec.encode(freeze_started())
    null = written(freeze_started(), newer, nozzle_no=None)
    four = written(freeze_started(), newer, nozzle_no=4)

    assert codec.same_content(here, FREEZE.text, null, newer.text)
    assert codec.same_content(null, newer.text, here, FREEZE.text)
    assert not codec.same_content(here, FREEZE.text, four, newer.text)


def test_another_value_in_any_field_is_other_content():
    body = codec.encode(freeze_started())
    others = [
        freeze_started(probe_id="2"),
        freeze_started(cycle_no=2),
        freeze_started(flow_pct=1.0),
    ]

    assert codec.same_content(body, FREEZE.text, body, FREEZE.text)
    for other in others:
        assert not codec.same_content(body, FREEZE.text, codec.encode(other), FREEZE.text)


def test_samples_are_compared_one_by_one():
    chunk = catalog().current("ProbeTelemetryChunk")
    newer = changed("ProbeTelemetryChunk", with_a_new_quality)
    body = codec.encode(telemetry_chunk(values=(1.0, None)))

    same = written(telemetry_chunk(values=(1.0, None)), newer)
    longer = written(telemetry_chunk(values=(1.0, None, None)), newer)

    assert codec.same_content(body, chunk.text, same, newer.text)
    assert not codec.same_content(body, chunk.text, longer, newer.text)


def test_two_types_of_one_shape_are_never_the_same_content():
    started = catalog().current("ProbeAnchored")
    other = event_type_of(started.text.replace('"ProbeAnchored"', '"ProbeAnchoredAgain"'))
    body = written(events.ProbeAnchored(header=freeze_started().header, probe_id="1"), started)

    assert not codec.same_content(body, started.text, body, other.text)


def test_bytes_that_cannot_be_decoded_are_the_same_only_as_themselves():
    assert codec.same_content(b"\xff", FREEZE.text, b"\xff", FREEZE.text)
    assert not codec.same_content(b"\xff", FREEZE.text, b"\xfe", FREEZE.text)
    assert not codec.same_content(b"\xff", "nonsense", b"\xff", FREEZE.text)
