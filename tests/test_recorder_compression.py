"""Batches are recorded however their producer compressed them."""

from __future__ import annotations

import struct

import pytest
from confluent_kafka import Producer
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, record_all
from replayed_cohort import discrete

MESSAGES = [message_of(event) for event in discrete()[:50]]
_ATTRIBUTES = struct.Struct(">21xh")
"""Of a record batch: base offset, length, leader epoch, magic and CRC stand before them."""


@pytest.mark.parametrize(("codec", "number"), [("gzip", 1), ("snappy", 2), ("lz4", 3), ("zstd", 4)])
def test_a_compressed_batch_is_recorded(
    fresh_topics: KafkaNode, sqlite_url: str, codec: str, number: int
) -> None:
    foreign = Producer(
        {"bootstrap.servers": fresh_topics.bootstrap, "compression.type": codec, "linger.ms": 100}
    )
    for message in MESSAGES:
        foreign.produce(message.topic, key=message.key, value=message.value, partition=0)
    assert foreign.flush(30) == 0
    log = fresh_topics.data_dir / f"{MESSAGES[0].topic}-0" / f"{0:020d}.log"
    (attributes,) = _ATTRIBUTES.unpack_from(log.read_bytes())
    assert attributes & 0b111 == number

    record_all(fresh_topics.connection, sqlite_url)

    entries = all_entries(sqlite_url, kinds=(0,))
    assert [entry.raw for entry in entries] == [message.value for message in MESSAGES]
