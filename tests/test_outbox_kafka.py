"""From the outbox to the real Kafka: order, partitions, headers, outages and lost topics."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from uuid import UUID, uuid4

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka_fixtures import KafkaNode
from outbox_room import Room
from outbox_rows import query
from refused_connections import REFUSED_CONNECTIONS
from room_events import chunk, freeze
from waiting import until

from cryotrail_producers.kafka_clients import KafkaConnection, admin, consumer
from cryotrail_producers.transport import KafkaTransport, partition_of
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode, parse_frame
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.topics import (
    MAX_MESSAGE_BYTES,
    PARTITION_COUNT,
    PROBE_TELEMETRY,
    PROCEDURE_EVENTS,
)

pytestmark = REFUSED_CONNECTIONS

UNUSED_PORT = KafkaConnection("127.0.0.1:1")


class TardyTransport(KafkaTransport):
    """Lets a failed producer live on for a second, in which kafka-python sends under a new epoch
    what lay behind the failed record, unless it was stopped at once."""

    def reset(self) -> None:
        time.sleep(1)
        super().reset()


def records_of(connection: KafkaConnection, topic: str = PROCEDURE_EVENTS) -> list[object]:
    """Everything on a topic now, per partition in order of offset."""
    client = consumer(connection)
    try:
        partitions = [TopicPartition(topic, part) for part in range(PARTITION_COUNT)]
        client.assign(partitions)
        client.seek_to_beginning(*partitions)
        left = sum(client.end_offsets(partitions).values())
        left -= sum(client.beginning_offsets(partitions).values())
        found: list[object] = []
        deadline = time.monotonic() + 20
        while len(found) < left:
            assert time.monotonic() < deadline
            for batch in client.poll(timeout_ms=200).values():
                found += batch
        return found
    finally:
        client.close()


def procedure_seqs(records: list[object]) -> dict[UUID, list[int]]:
    found = defaultdict(list)
    for record in records:
        delivery = read_delivery(record.headers)
        found[UUID(record.key.decode())].append(delivery.procedure_seq)
    return dict(found)


def test_an_event_on_the_topic_is_the_event_that_was_published(
    fresh_topics: KafkaNode, room: Room
) -> None:
    event = freeze(uuid4())
    publisher = room.publisher(KafkaTransport(fresh_topics.connection))
    publisher.publish(event)
    assert publisher.wait(20).waiting == 0

    (record,) = records_of(fresh_topics.connection)
    frame = parse_frame(record.value)
    assert decode(frame.body, catalog().by_fingerprint(frame.fingerprint)) == event
    assert record.key == str(event.header.procedure_id).encode()
    assert record.partition == partition_of(record.key, PARTITION_COUNT)
    assert read_delivery(record.headers).event_id == str(event.header.event_id)
    assert query(room.path, "SELECT part, kafka_offset FROM event") == [(record.partition, 0)]


def test_procedures_stay_in_order_when_thousands_are_sent(
    fresh_topics: KafkaNode, room: Room
) -> None:
    procedures = [uuid4() for _ in range(30)]
    order = random.Random(7)
    clinical = [freeze(order.choice(procedures)) for _ in range(3000)]
    telemetry = [chunk(procedure) for procedure in procedures[:4] for _ in range(500)]
    publisher = room.publisher(KafkaTransport(fresh_topics.connection))
    publisher.publish_many(clinical + telemetry)
    assert publisher.wait(60).waiting == 0

    for topic, events in ((PROCEDURE_EVENTS, clinical), (PROBE_TELEMETRY, telemetry)):
        found = procedure_seqs(records_of(fresh_topics.connection, topic))
        assert sum(map(len, found.values())) == len(events)
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in found.values())


def test_topics_made_anew_get_everything_that_is_kept_again(
    fresh_topics: KafkaNode, room: Room
) -> None:
    procedure = uuid4()
    publisher = room.publisher(KafkaTransport(fresh_topics.connection))
    publisher.publish_many([freeze(procedure) for _ in range(20)])
    publisher.publish_many([chunk(procedure) for _ in range(5)])
    assert publisher.wait(20).waiting == 0

    fresh_topics.recreate_topics()
    publisher.publish(freeze(procedure))
    until(
        lambda: (
            publisher.status().waiting == 0
            and len(records_of(fresh_topics.connection)) >= 21
            and len(records_of(fresh_topics.connection, PROBE_TELEMETRY)) == 5
        ),
        timeout_s=40,
    )

    seqs = procedure_seqs(records_of(fresh_topics.connection))[procedure]
    assert seqs[-21:] == list(range(1, 22))


@pytest.mark.parametrize("noticed", ["by a session", "by the next sender"])
def test_a_lost_topic_is_noticed_though_new_events_go_to_other_partitions(
    fresh_topics: KafkaNode, room: Room, noticed: str
) -> None:
    lost, other = _procedures_of_two_partitions()
    first = room.publisher(KafkaTransport(fresh_topics.connection), log_check_s=0.3)
    first.publish_many([freeze(lost) for _ in range(10)])
    assert first.wait(20).waiting == 0
    if noticed == "by the next sender":
        first.close()
    fresh_topics.recreate_topics()
    sender = (
        first
        if noticed == "by a session"
        else room.publisher(KafkaTransport(fresh_topics.connection))
    )
    sender.publish(freeze(other))

    until(
        lambda: (
            procedure_seqs(records_of(fresh_topics.connection)).get(lost, [])[:10]
            == list(range(1, 11))
        )
    )
    assert sender.wait(20).waiting == 0


def test_what_kafka_still_holds_is_not_sent_again_by_the_next_sender(
    fresh_topics: KafkaNode, room: Room
) -> None:
    for _ in range(3):
        with room.publisher(KafkaTransport(fresh_topics.connection)) as publisher:
            publisher.publish_many([freeze(uuid4()) for _ in range(5)])
            assert publisher.wait(20).waiting == 0
    assert len(records_of(fresh_topics.connection)) == 15


@pytest.mark.parametrize("batch_bytes", [2048, MAX_MESSAGE_BYTES // 2])
def test_a_record_that_is_refused_stops_its_procedure_alone_until_it_is_taken(
    fresh_topics: KafkaNode, room: Room, batch_bytes: int
) -> None:
    stopped, others = uuid4(), [uuid4() for _ in range(20)]
    _limit_messages(fresh_topics.connection, PROBE_TELEMETRY, 2100)
    large = chunk(stopped, 600)
    events = [chunk(one) for one in others for _ in range(50)]
    events[200:200] = [*(chunk(stopped) for _ in range(5)), large, chunk(stopped), chunk(stopped)]
    # Small producer batches have others behind them on their way; large ones have to be split.
    publisher = room.publisher(
        KafkaTransport(fresh_topics.connection, batch_size=batch_bytes), back_off_max_s=0.2
    )
    publisher.publish_many(events)
    until(lambda: publisher.status().waiting == 3)
    late = chunk(others[0])
    publisher.publish(late)
    until(lambda: publisher.status().waiting == 3)
    before = len(records_of(fresh_topics.connection, PROBE_TELEMETRY))
    time.sleep(2)  # at least eight more tries

    assert publisher.status().waiting == 3
    assert len(records_of(fresh_topics.connection, PROBE_TELEMETRY)) == before < 2 * len(events)
    assert str(large.header.event_id) in str(publisher.problem())
    assert publisher.problem() == publisher.status().problem

    _limit_messages(fresh_topics.connection, PROBE_TELEMETRY, MAX_MESSAGE_BYTES)
    assert publisher.wait(20).waiting == 0
    assert publisher.problem() is None
    found = procedure_seqs(records_of(fresh_topics.connection, PROBE_TELEMETRY))
    firsts = {procedure: list(dict.fromkeys(seqs)) for procedure, seqs in found.items()}
    assert firsts.pop(stopped) == list(range(1, 9))
    assert firsts.pop(others[0]) == list(range(1, 52))
    assert firsts == {procedure: list(range(1, 51)) for procedure in others[1:]}


@pytest.mark.parametrize("tail", ["kept", "lost"])
def test_a_broker_that_is_killed_and_restarted_gets_every_event_in_order(
    fragile_kafka: KafkaNode, room: Room, tail: str
) -> None:
    broker, procedures = fragile_kafka, [uuid4(), uuid4()]
    # Producer batches of a few records: behind the one that fails there are always others.
    publisher = room.publisher(TardyTransport(broker.connection, batch_size=2048))
    for _ in range(5):
        publisher.publish_many([freeze(procedures[n % 2]) for n in range(10)])
        assert publisher.wait(20).waiting == 0

    broker.kill()
    publisher.publish_many([freeze(procedures[n % 2]) for n in range(50)])
    assert publisher.wait(0.3).waiting == 50
    if tail == "lost":
        _cut_last_batches(broker)
    broker.start()
    until(lambda: publisher.status().waiting == 0, timeout_s=60)

    # A record may be on the log twice; of each the first is in its place.
    found = procedure_seqs(records_of(broker.connection))
    firsts = {procedure: list(dict.fromkeys(seqs)) for procedure, seqs in found.items()}
    assert firsts == {procedure: list(range(1, 51)) for procedure in procedures}
    sent_again = len(found[procedures[0]]) > 50
    assert sent_again or tail == "kept"


def test_an_unreachable_cluster_is_named_and_publishing_goes_on(room: Room) -> None:
    publisher = room.publisher(KafkaTransport(UNUSED_PORT))
    publisher.publish_many([freeze(uuid4()) for _ in range(10)])
    until(lambda: publisher.problem() is not None, timeout_s=12)
    assert "127.0.0.1:1" in str(publisher.problem())
    assert publisher.status().waiting == 10


def test_a_topic_that_is_missing_is_named_and_sent_to_once_it_is_there(
    kafka: KafkaNode, room: Room
) -> None:
    kafka.delete_topics()
    try:
        publisher = room.publisher(KafkaTransport(kafka.connection, max_block_ms=500))
        publisher.publish(freeze(uuid4()))
        until(lambda: PROCEDURE_EVENTS in str(publisher.problem()))
        assert publisher.status().waiting == 1
    finally:
        kafka.recreate_topics()
    assert publisher.wait(20).waiting == 0


def _procedures_of_two_partitions() -> tuple[UUID, UUID]:
    one = uuid4()
    while True:
        other = uuid4()
        parts = {partition_of(str(key).encode(), PARTITION_COUNT) for key in (one, other)}
        if len(parts) == 2:
            return one, other


def _limit_messages(connection: KafkaConnection, topic: str, size_bytes: int) -> None:
    client = admin(connection)
    try:
        limit = {"max.message.bytes": str(size_bytes)}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, limit)])
    finally:
        client.close()


def _cut_last_batches(broker: KafkaNode) -> None:
    """Damage the last batch of each partition, as a power cut can; recovery drops it."""
    cut = 0
    # Not those of topics that were deleted, whose folders end in "-delete".
    for log in broker.data_dir.glob(f"{PROCEDURE_EVENTS}-*[0-9]/*.log"):
        size = log.stat().st_size
        if size:
            with log.open("r+b") as file:
                file.truncate(size - 10)
            cut += 1
    assert cut
