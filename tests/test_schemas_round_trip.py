"""Every event that the contract allows survives encoding, both framings, decoding and JSON."""

import json

import pytest
from generated_events import any_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryotrail_schemas import codec
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.events import EVENT_CLASSES
from cryotrail_schemas.json_form import event_from_json, event_to_json


@pytest.mark.parametrize("type_name", EVENT_CLASSES)
# Drawing a header with its code lists is slow for hypothesis, and no fault.
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_an_event_survives(type_name, data):
    event = data.draw(any_event(type_name))
    event_type = catalog().current(type_name)
    body = codec.encode(event)

    single_object = codec.parse_frame(codec.frame_single_object(event_type, body))
    confluent = codec.parse_frame(codec.frame_confluent(2**32 - 1, body))
    as_json = json.loads(json.dumps(event_to_json(event), allow_nan=False))

    written_by = catalog().by_fingerprint(single_object.fingerprint)
    assert codec.decode(single_object.body, written_by) == event
    assert (confluent.kind, confluent.schema_id) == ("confluent", 2**32 - 1)
    assert codec.decode(confluent.body, event_type) == event
    assert event_from_json(as_json) == event
    # What is published passes the checks of the recorder.
    codec.check_plain(codec.decode_plain(body, event_type), type_name)
