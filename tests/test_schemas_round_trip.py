"""Every event that the contract allows survives encoding, framing, decoding and JSON."""

import json

import pytest
from generated_events import any_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryotrail_schemas import codec
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.events import EVENT_CLASSES
from cryotrail_schemas.json_form import event_from_json, event_to_json

every_type = pytest.mark.parametrize("type_name", EVENT_CLASSES)
# Building forty-seven code lists and a header an event is slow for hypothesis, and no fault.
made_up = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@every_type
@made_up
@given(data=st.data())
def test_an_event_survives_single_object_framing(type_name, data):
    event = data.draw(any_event(type_name))
    event_type = catalog().current(type_name)

    value = codec.frame_single_object(event_type, codec.encode(event))
    frame = codec.parse_frame(value)
    written_by = catalog().by_fingerprint(frame.fingerprint)

    assert frame.kind == "single_object"
    assert codec.decode(frame.body, written_by) == event


@every_type
@made_up
@given(data=st.data(), schema_id=st.integers(0, 2**32 - 1))
def test_an_event_survives_confluent_framing(type_name, data, schema_id):
    event = data.draw(any_event(type_name))

    frame = codec.parse_frame(codec.frame_confluent(schema_id, codec.encode(event)))

    assert (frame.kind, frame.schema_id) == ("confluent", schema_id)
    assert codec.decode(frame.body, catalog().current(type_name)) == event


@every_type
@made_up
@given(data=st.data())
def test_an_event_survives_json(type_name, data):
    event = data.draw(any_event(type_name))

    text = json.dumps(event_to_json(event), allow_nan=False)

    assert event_from_json(json.loads(text)) == event


@every_type
@made_up
@given(data=st.data())
def test_what_is_published_passes_the_checks_of_the_recorder(type_name, data):
    body = codec.encode(data.draw(any_event(type_name)))

    record = codec.decode_plain(body, catalog().current(type_name))

    codec.check_plain(record, type_name)
