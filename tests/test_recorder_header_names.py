"""A header name that is not UTF-8 costs its record the place among the events, and nothing else."""

from __future__ import annotations

from typing import Self

from kafka_fixtures import KafkaNode
from recorded_kafka import Message, all_entries, message_of, publish, record_all
from replayed_cohort import discrete

from cryotrail_audit.verification import verify
from cryotrail_consumers.coordinates import framed

GOOD = [message_of(event)._replace(partition=0) for event in discrete()[:6]]
LATIN_1 = "Gerät".encode("latin-1")
SURROGATE = b"\xed\xa0\x80"
"""What some languages make of half a UTF-16 pair."""


class RawName(str):
    """A header name that is sent as the bytes it was made of, as a client in C would."""

    sent: bytes

    def __new__(cls, sent: bytes) -> Self:
        name = super().__new__(cls)
        name.sent = sent
        return name

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.sent


def _named(message: Message, name: bytes) -> Message:
    return message._replace(headers=[("site", b"2"), (RawName(name), b"room 4")])


def _packed(name: bytes) -> bytes:
    return b"".join(framed(part) for part in (b"site", b"2", name, b"room 4"))


def test_it_is_quarantined_with_its_bytes_and_the_partition_goes_on(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    bad = [_named(GOOD[1], LATIN_1), _named(GOOD[2], SURROGATE), _named(GOOD[3], LATIN_1)]
    umlaut = GOOD[4]._replace(headers=[("Gerät", b"4")])
    publish(fresh_topics.connection, [GOOD[0], *bad, umlaut, GOOD[5]])

    tally = record_all(fresh_topics.connection, store_url)

    kept = all_entries(store_url, kinds=(2,))
    assert [(entry.reason, entry.kafka_offset) for entry in kept] == [
        ("undecodable_headers", offset) for offset in (1, 2, 3)
    ]
    assert [(entry.kafka_key, entry.raw) for entry in kept] == [(one.key, one.value) for one in bad]
    assert [entry.kafka_headers for entry in kept] == [
        _packed(LATIN_1), _packed(SURROGATE), _packed(LATIN_1),
    ]  # fmt: skip
    events = all_entries(store_url, kinds=(0,))
    assert [entry.raw for entry in events] == [one.value for one in (GOOD[0], umlaut, GOOD[5])]
    assert tally.held_up == 0
    assert verify(store_url).result == "intact"


def test_recording_goes_on_behind_such_a_record_after_a_restart(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, [GOOD[0], _named(GOOD[1], LATIN_1)])
    record_all(fresh_topics.connection, sqlite_url)
    publish(fresh_topics.connection, [GOOD[2]])

    tally = record_all(fresh_topics.connection, sqlite_url)

    assert (tally.recorded, tally.alarms, tally.held_up) == (1, 0, 0)
