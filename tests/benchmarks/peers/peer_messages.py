"""The events of a benchmark in the two forms that the candidates read, and their way to Kafka.

Avro is the form of the product: single-object framing, key = procedure id, CloudEvents headers.
JSON is for Kafka Connect, whose Avro converter is another vendor's: the same event under its id as
key, the envelope's fields taken out, and the same Avro value beside them in base64. A JSON message
lies in the partition that its Avro twin lies in, so that the order of a procedure is the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import Producer
from kafka.admin import NewTopic
from kafka_fixtures import delete_topics, recreate_topics
from peer_account import Published
from recorded_kafka import Message

from cryotrail_producers.kafka_clients import KafkaConnection, admin
from cryotrail_producers.transport import partition_of
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.framing import parse_frame
from cryotrail_schemas.topics import EVENT_TOPICS, PARTITION_COUNT

JSON_SUFFIX = ".json"
JSON_FIELDS = {
    "event_type": "string",
    "procedure_id": "string",
    "occurred_us": "int64",
    "producer_id": "string",
    "producer_seq": "int64",
    "procedure_seq": "int64",
    "raw": "bytes",
}


class Sent(NamedTuple):
    """A message for Kafka in one of the forms, and whose event it is."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Event(NamedTuple):
    """One event in both forms."""

    event_id: str
    procedure: str
    avro: Sent
    json: Sent


def event_of(message: Message) -> Event:
    """Both forms of a message as the outbox would send it."""
    assert message.key is not None and message.value is not None
    _, fingerprint, _, body = parse_frame(message.value)
    assert fingerprint is not None
    schema = catalog().by_fingerprint(fingerprint)
    assert schema is not None
    header = decode_plain(body, schema)["header"]
    delivery = read_delivery(message.headers)
    values = {
        "event_type": schema.name,
        "procedure_id": header["procedure_id"],
        "occurred_us": header["occurred_at"],
        "producer_id": delivery.producer_id,
        "producer_seq": delivery.producer_seq,
        "procedure_seq": delivery.procedure_seq,
        "raw": base64.b64encode(message.value).decode(),
    }
    partition = partition_of(message.key, PARTITION_COUNT)
    event_id: str = header["event_id"]
    return Event(
        event_id,
        f"{header['procedure_id']} {message.topic}",
        Sent(message.topic, partition, message.key, message.value, message.headers),
        Sent(
            message.topic + JSON_SUFFIX, partition, json.dumps({"event_id": event_id}).encode(),
            json.dumps(values).encode(), (),
        ),
    )  # fmt: skip


def form_of(event: Event, form: str) -> Sent:
    """An event as the candidates of a form read it."""
    return event.avro if form == "avro" else event.json


def as_published(events: Iterable[Event], first: int = 0) -> Iterator[tuple[str, Published]]:
    """What an account needs to know of events that were published in this order."""
    for place, event in enumerate(events, start=first):
        yield event.event_id, Published(event.procedure, place)


def topics_of(form: str) -> tuple[str, ...]:
    """The topics that the candidates of a form read."""
    return (
        EVENT_TOPICS if form == "avro" else tuple(f"{topic}{JSON_SUFFIX}" for topic in EVENT_TOPICS)
    )


def empty_topics(connection: KafkaConnection, form: str) -> None:
    """Make both topics of a form anew; offsets begin at 0."""
    if form == "avro":
        recreate_topics(connection)
        return
    delete_topics(connection, topics_of(form))
    client = admin(connection)
    try:
        client.create_topics([NewTopic(topic, PARTITION_COUNT, 1) for topic in topics_of(form)])
    finally:
        client.close()


def send(bootstrap: str, messages: Iterable[Sent]) -> None:
    """Put messages on their topics and wait until Kafka has them all, 60 s at most."""
    failed: list[Any] = []
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20,
         "batch.size": 200_000, "queue.buffering.max.messages": 2_000_000, "log_level": 3}
    )  # fmt: skip
    noted = partial(_note_failure, failed)
    for one in messages:
        producer.produce(
            one.topic, one.value, one.key, one.partition, noted, headers=list(one.headers)
        )
        producer.poll(0)
    if producer.flush(60) or failed:
        raise RuntimeError(f"Kafka did not take every message: {failed[:1]}")


def _note_failure(failed: list[Any], error: object, _message: object) -> None:
    if error is not None:
        failed.append(error)
