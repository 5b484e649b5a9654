"""What the recorder's tests share: records put on the topics, a recorder run over them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from cryotrail_audit.records import Entry, Head
from cryotrail_audit.store import open_store
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.reading.kafka_source import KafkaSource, group_of
from cryotrail_consumers.recording.recorder import Recorder
from cryotrail_consumers.recording.settings import RecorderSettings
from cryotrail_consumers.recording.tally import Tally
from cryotrail_producers.kafka_clients import KafkaConnection, producer
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode
from cryotrail_schemas.delivery import kafka_headers
from cryotrail_schemas.events import Event
from cryotrail_schemas.framing import frame_single_object
from cryotrail_schemas.topics import EVENT_TOPICS, topic_of


class Message(NamedTuple):
    """One record to be produced."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


class Place(NamedTuple):
    """Where Kafka put a record."""

    topic: str
    partition: int
    offset: int


def message_of(event: Event, producer_seq: int | None = None) -> Message:
    """An event as the outbox would send it."""
    name = type(event).TYPE
    header = event.header
    return Message(
        topic_of(name),
        str(header.procedure_id).encode(),
        frame_single_object(catalog().current(name), encode(event)),
        kafka_headers(
            name, header.event_id, "urn:cryotrail:test", header.occurred_at,
            "test-outbox", producer_seq, producer_seq,
        ),
    )  # fmt: skip


def publish(
    connection: KafkaConnection, messages: Iterable[Message], *, singly: bool = False
) -> list[Place]:
    """Produce messages in order and wait until Kafka has them all.

    ``singly`` makes one batch of each, so that a log can be cut between any two.
    """
    client = producer(connection, linger_ms=0 if singly else 20)
    futures = []
    try:
        for one in messages:
            futures.append(
                client.send(
                    one.topic,
                    key=one.key,
                    value=one.value,
                    headers=list(one.headers),
                    partition=one.partition,
                )
            )
            if singly:
                futures[-1].get(timeout=60)
        client.flush(timeout=60)
        sent = [future.get(timeout=60) for future in futures]
    finally:
        client.close()
    return [Place(one.topic, one.partition, one.offset) for one in sent]


@contextmanager
def recorder(
    connection: KafkaConnection,
    url: str,
    *,
    topics: Sequence[str] = EVENT_TOPICS,
    share: bool | None = None,
    registry: SchemaRegistry | None = None,
    records: RecordCipher | None = None,
    settings: RecorderSettings | None = None,
) -> Iterator[Recorder]:
    """A recorder into the store at ``url``; shared partitions on PostgreSQL unless told."""
    shared = url.startswith("postgresql") if share is None else share
    store = open_store(url)
    try:
        group = group_of(store.origin())
        yield Recorder(
            store,
            lambda: KafkaSource(connection, topics, group, share=shared),
            RecordDecoder(KnownSchemas(store, registry)),
            records,
            settings=settings,
        )
    finally:
        store.close()


def record_all(
    connection: KafkaConnection,
    url: str,
    registry: SchemaRegistry | None = None,
    records: RecordCipher | None = None,
) -> Tally:
    """Record what Kafka holds, and end."""
    with recorder(connection, url, registry=registry, records=records) as one:
        return one.run(until_caught_up=True)


@contextmanager
def running(recorder: Recorder, *, until_caught_up: bool = False) -> Iterator[threading.Thread]:
    """A recorder in a thread for the length of a block; what it raised is raised at the end."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            recorder.run(until_caught_up=until_caught_up)
        except BaseException as error:  # noqa: BLE001  handed over to the test
            raised.append(error)

    thread = threading.Thread(target=run, name="recorder")
    thread.start()
    try:
        yield thread
    finally:
        recorder.stop()
        thread.join(60)
        assert not thread.is_alive(), "the recorder did not stop"
    if raised:
        raise raised[0]


def group_at(url: str) -> str:
    """The consumer group of the recorders into the store at ``url``."""
    store = open_store(url)
    try:
        return group_of(store.origin())
    finally:
        store.close()


def head_of(url: str) -> Head:
    """Where the log at ``url`` ends."""
    with closing(open_store(url)) as store:
        return store.head()


def all_entries(url: str, kinds: Sequence[int] = (0, 1, 2, 3)) -> list[Entry]:
    """Every entry of these kinds, in order."""
    store = open_store(url)
    try:
        return [entry for rows in store.entries(kinds=kinds) for entry in rows]
    finally:
        store.close()


def places_of(entries: Iterable[Entry], url: str) -> set[Place]:
    """Topic name, partition and offset of entries."""
    store = open_store(url)
    try:
        names = {topic_id: topic.name for topic_id, topic in store.topics().items()}
    finally:
        store.close()
    return {
        Place(names[entry.topic_id], entry.part, entry.kafka_offset)
        for entry in entries
        if entry.topic_id is not None and entry.part is not None and entry.kafka_offset is not None
    }
