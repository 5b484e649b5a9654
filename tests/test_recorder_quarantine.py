"""What cannot be read is kept with its bytes, and the recorder goes on."""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

from confluent_kafka import Producer
from kafka_fixtures import KafkaNode
from recorded_kafka import (
    Message,
    all_entries,
    message_of,
    publish,
    record_all,
)
from replayed_cohort import discrete

from cryotrail_audit.verification import verify
from cryotrail_schemas.framing import frame_confluent
from cryotrail_schemas.topics import PROCEDURE_EVENTS

GOOD = [message_of(event) for event in discrete()[:9]]
KEY, VALUE = GOOD[0].key or b"", GOOD[0].value or b""
OTHER_KEY = str(uuid4()).encode()

UNREADABLE = {
    "empty_value": [None, b""],
    "unknown_framing": [b"MSH|^~\\&|LAB", b"{}"],
    "truncated": [b"\xc3\x01\xa0", b"\x00\x00", VALUE[:-3], VALUE[:30]],
    "trailing_bytes": [VALUE + b"\x00"],
    "unknown_fingerprint": [b"\xc3\x01" + bytes(8) + VALUE[10:]],
    "registry_not_configured": [frame_confluent(7, VALUE[10:])],
    "invalid_value": [VALUE.replace(VALUE[11:47], b"patient-7".ljust(36, b"x"))],
}
"""Values by the reason that they are quarantined for."""


def test_unreadable_records_are_quarantined_with_their_bytes_between_events(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    bad = [(reason, value) for reason, values in UNREADABLE.items() for value in values]
    messages = [GOOD[0]]
    for _reason, value in bad:
        messages.append(Message(PROCEDURE_EVENTS, KEY, value))
    messages += GOOD[1:]
    places = publish(fresh_topics.connection, messages)

    tally = record_all(fresh_topics.connection, store_url)

    kept = all_entries(store_url, kinds=(2,))
    assert (tally.recorded, tally.quarantined) == (len(GOOD), len(bad))
    assert [(entry.reason, entry.raw) for entry in kept] == bad
    assert [(entry.part, entry.kafka_offset) for entry in kept] == [
        (place.partition, place.offset) for place in places[1 : 1 + len(bad)]
    ]
    assert verify(store_url).result == "intact"


def test_a_quarantined_record_is_identified_by_its_place_and_numbered_in_its_procedure(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    upper_key = KEY.decode().upper().encode()
    publish(
        fresh_topics.connection,
        [
            Message(PROCEDURE_EVENTS, KEY, b"garbage", partition=3),
            Message(PROCEDURE_EVENTS, KEY, b"garbage", partition=3),
            Message(PROCEDURE_EVENTS, upper_key, b"garbage", partition=3),
            Message(PROCEDURE_EVENTS, b"bed 4", b"garbage", partition=3),
            Message(PROCEDURE_EVENTS, None, b"", partition=3),
        ],
    )

    record_all(fresh_topics.connection, sqlite_url)

    kept = all_entries(sqlite_url, kinds=(2,))
    assert [entry.procedure_entry_no for entry in kept] == [1, 2, 3, None, None]
    assert [entry.kafka_offset for entry in kept] == [0, 1, 2, 3, 4]
    assert len({entry.event_id for entry in kept}) == 5
    assert kept[0].content_hash == sha256(b"garbage").digest()
    assert kept[4].content_hash == sha256(b"").digest()
    assert {entry.event_type for entry in kept} == {None}


def test_an_event_under_the_key_of_another_procedure_is_quarantined(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    upper = KEY.decode().upper().encode()
    wrong = [OTHER_KEY, upper, b"bed 4", None]
    publish(
        fresh_topics.connection,
        [*(GOOD[0]._replace(key=key, partition=0) for key in wrong), GOOD[1]],
    )

    tally = record_all(fresh_topics.connection, store_url)

    kept = all_entries(store_url, kinds=(2,))
    assert [(entry.reason, entry.kafka_key) for entry in kept] == [
        ("key_mismatch", key) for key in wrong
    ]
    assert tally.recorded == 1


def test_a_foreign_producer_without_our_headers_is_recorded(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    foreign = Producer(
        {"bootstrap.servers": fresh_topics.bootstrap, "partitioner": "murmur2_random"}
    )
    for message in GOOD:
        foreign.produce(message.topic, key=message.key, value=message.value)
    assert foreign.flush(30) == 0

    tally = record_all(fresh_topics.connection, store_url)

    entries = all_entries(store_url, kinds=(0,))
    assert tally.recorded == len(GOOD)
    assert {entry.raw for entry in entries} == {message.value for message in GOOD}
    for entry in entries:
        assert (entry.producer_id, entry.producer_seq, entry.procedure_seq) == (None, None, None)
        assert (entry.kafka_headers, entry.reason) == (None, None)


def test_what_the_headers_get_wrong_is_a_flag_on_the_event(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    def with_header(name: str, value: bytes) -> Message:
        headers = [(n, value if n == name else v) for n, v in numbered.headers]
        return numbered._replace(headers=headers)

    numbered = message_of(discrete()[0], producer_seq=1)
    (right,) = publish(fresh_topics.connection, [GOOD[8]])
    publish(
        fresh_topics.connection,
        [
            with_header("ce_id", str(uuid4()).encode()),
            GOOD[1]._replace(headers=[("ce_type", b"cryotrail.events.ThawStopped")]),
            GOOD[2]._replace(headers=[("ce_producerseq", b"minus one")]),
            GOOD[3]._replace(partition=(right.partition + 1) % 12),
        ],
    )

    record_all(fresh_topics.connection, sqlite_url)

    reasons = {entry.raw: entry.reason for entry in all_entries(sqlite_url, kinds=(0,))}
    assert reasons[numbered.value] == "ce_id_mismatch"
    assert reasons[GOOD[1].value] == "ce_type_mismatch"
    assert reasons[GOOD[2].value] == "malformed_producer_seq"
    assert reasons[GOOD[3].value] == "wrong_partition"
