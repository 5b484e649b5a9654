"""Delivery headers: what is sent, and that reading them never fails."""

from base64 import b64encode
from datetime import datetime, timedelta, timezone

import pytest
from event_samples import sample_id
from hypothesis import given
from hypothesis import strategies as st

from cryotrail_schemas.delivery import kafka_headers, read_delivery

AT = datetime(2026, 11, 22, 19, 24, tzinfo=timezone(timedelta(hours=9)))


def test_headers_are_those_of_cloudevents_in_kafka_binary_mode():
    headers = kafka_headers("FreezeStarted", sample_id("e"), "urn:cryotrail:room-2", AT, "p", 7, 3)

    assert headers == [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(sample_id("e")).encode()),
        ("ce_source", b"urn:cryotrail:room-2"),
        ("ce_type", b"cryotrail.events.FreezeStarted"),
        ("ce_time", b"2026-11-22T10:24:00Z"),
        ("content-type", b"application/avro"),
        ("ce_producerid", b"p"),
        ("ce_producerseq", b"7"),
        ("ce_procedureseq", b"3"),
    ]


def test_what_is_sent_is_read():
    headers = kafka_headers(
        "FreezeStarted",
        sample_id("e"),
        "urn:x",
        AT,
        "outbox-1",
        2**63 - 1,
        1,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        signing_key_id=b"\x01\x02",
        signature=b"\xff" * 64,
    )

    delivery = read_delivery(headers)

    assert delivery.producer_id == "outbox-1"
    assert (delivery.producer_seq, delivery.procedure_seq) == (2**63 - 1, 1)
    assert (delivery.signing_key_id, delivery.signature) == (b"\x01\x02", b"\xff" * 64)
    assert (delivery.event_id, delivery.event_type) == (str(sample_id("e")), "FreezeStarted")
    assert delivery.flags == ()


def test_a_producer_that_sends_no_headers_is_read_as_null():
    assert set(read_delivery([])) == {None, ()}


@pytest.mark.parametrize(
    "number", [b"", b"0", b"-1", b"+1", b" 1", b"1_0", b"1.0", b"0x1", b"9" * 19, b"9" * 5000]
)
def test_a_number_that_is_none_is_null_and_flagged(number):
    delivery = read_delivery([("ce_producerseq", number)])

    assert delivery.producer_seq is None
    assert delivery.flags == ("malformed_producer_seq",)


@pytest.mark.parametrize(
    ("header", "value", "flag"),
    [
        ("ce_producerid", b"\xff", "malformed_producer_id"),
        ("ce_producerid", b"a\0", "malformed_producer_id"),
        ("ce_producerid", b"", "malformed_producer_id"),
        ("ce_type", b"\xff", "malformed_event_type"),
        ("ce_signature", b"not base64!", "malformed_signature"),
        ("ce_signingkeyid", b"abc", "malformed_signing_key_id"),
    ],
)
def test_a_header_that_cannot_be_read_is_null_and_flagged(header, value, flag):
    assert read_delivery([(header, value)]).flags == (flag,)


def test_a_null_header_says_nothing():
    assert read_delivery([("ce_producerid", None)]).flags == ()


def test_of_a_repeated_header_the_last_counts():
    assert read_delivery([("ce_producerseq", b"1"), ("ce_producerseq", b"2")]).producer_seq == 2


NAMES = ["ce_producerid", "ce_producerseq", "ce_procedureseq", "ce_signature", "ce_id", "x"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.none() | st.binary())))
def test_reading_never_fails(headers):
    read_delivery(headers)


def test_a_signature_is_sent_as_base64():
    headers = dict(kafka_headers("X", sample_id("e"), "urn:x", AT, signature=b"\xfb\xff"))

    assert headers["ce_signature"] == b64encode(b"\xfb\xff")
