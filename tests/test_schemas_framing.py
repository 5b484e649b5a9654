"""A Kafka value is taken apart, or refused with the code under which it is set aside."""

import pytest
from event_samples import freeze_started, telemetry_chunk
from hypothesis import given, settings
from hypothesis import strategies as st

from cryotrail_schemas import codec
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.errors import UndecodableRecord

FREEZE = catalog().current("FreezeStarted")
BODY = codec.encode(freeze_started())


def code_of(refusing, *arguments):
    with pytest.raises(UndecodableRecord) as refused:
        refusing(*arguments)
    assert refused.value.detail
    return refused.value.code


@pytest.mark.parametrize("value", [None, b""])
def test_no_value_is_an_empty_value(value):
    assert code_of(codec.parse_frame, value) == "empty_value"


@pytest.mark.parametrize("value", [b"\x01", b"{}", b"\xc3", b"\xc3\x02" + b"\0" * 20, b"MSH|^~"])
def test_other_first_bytes_are_an_unknown_framing(value):
    assert code_of(codec.parse_frame, value) == "unknown_framing"


@pytest.mark.parametrize("value", [b"\0", b"\0\0\0\0", b"\xc3\x01", b"\xc3\x01" + b"\0" * 7])
def test_a_frame_that_ends_in_its_head_is_truncated(value):
    assert code_of(codec.parse_frame, value) == "truncated"


def test_the_frames_are_those_of_their_specifications():
    single_object = codec.frame_single_object(FREEZE, BODY)
    confluent = codec.frame_confluent(258, BODY)

    assert single_object == b"\xc3\x01" + FREEZE.fingerprint + BODY
    assert confluent == b"\x00\x00\x00\x01\x02" + BODY


@pytest.mark.parametrize("event", [freeze_started(), telemetry_chunk()], ids=lambda e: e.TYPE)
def test_a_body_cut_anywhere_is_truncated(event):
    body, event_type = codec.encode(event), catalog().current(event.TYPE)

    codes = {code_of(codec.decode_plain, body[:end], event_type) for end in range(len(body))}

    assert codes == {"truncated"}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(value=st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused_with_a_code(value):
    for event_type in (FREEZE, catalog().current("ProbeTelemetryChunk")):
        try:
            codec.decode_plain(value, event_type)
        except UndecodableRecord:
            continue


@settings(max_examples=200, deadline=None, derandomize=True)
@given(position=st.integers(0, len(BODY) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_gives_an_event_or_a_code(position, byte):
    changed = BODY[:position] + bytes([byte]) + BODY[position + 1 :]

    try:
        event = codec.decode(changed, FREEZE)
    except UndecodableRecord:
        return

    assert event.TYPE == "FreezeStarted"


def test_text_that_is_not_utf8_is_undecodable():
    body = BODY.replace(b"\x021", b"\x02\xff")

    assert code_of(codec.decode_plain, body, FREEZE) == "undecodable"


def test_the_plain_schema_may_be_given_instead_of_the_event_type():
    assert codec.decode_plain(BODY, FREEZE.plain) == codec.decode_plain(BODY, FREEZE)


def test_a_plain_record_holds_primitives_only():
    record = codec.decode_plain(BODY, FREEZE)
    event = freeze_started()

    assert record["header"]["event_id"] == str(event.header.event_id)
    assert record["header"]["occurred_at"] == int(event.header.occurred_at.timestamp()) * 1_000_000
    assert record["header"]["actor_role"] == "OPERATOR"
