"""A log tail that was cut and filled again by others ends where it should; what lies there tells."""

from __future__ import annotations

from uuid import uuid4

from kafka_damage import cut_tail
from kafka_fixtures import KafkaNode
from outbox_room import Room
from refused_connections import REFUSED_CONNECTIONS
from room_events import freeze
from waiting import until

from cryotrail_producers.kafka_clients import producer
from cryotrail_producers.log_state import kafka_log_state
from cryotrail_producers.transport import KafkaTransport, partition_of
from cryotrail_schemas.topics import PARTITION_COUNT, PROCEDURE_EVENTS

pytestmark = REFUSED_CONNECTIONS


def test_a_cut_tail_that_others_filled_is_sent_again_by_the_next_sender(
    fragile_kafka: KafkaNode, room: Room
) -> None:
    procedure = uuid4()
    part = partition_of(str(procedure).encode(), PARTITION_COUNT)
    with room.publisher(KafkaTransport(fragile_kafka.connection)) as first:
        for _ in range(5):
            first.publish(freeze(procedure))
            assert first.wait(20).waiting == 0
    fragile_kafka.kill()
    cut_tail(fragile_kafka, PROCEDURE_EVENTS, part, keep=2)
    fragile_kafka.start()
    other = producer(fragile_kafka.connection)
    for _ in range(10):
        other.send(PROCEDURE_EVENTS, b"another's", partition=part)
    other.flush(timeout=20)
    other.close()

    with room.publisher(KafkaTransport(fragile_kafka.connection)):
        until(
            lambda: kafka_log_state(fragile_kafka.connection, PROCEDURE_EVENTS, {}).ends[part] == 17
        )
    state = kafka_log_state(fragile_kafka.connection, PROCEDURE_EVENTS, {part: 11})
    assert state.found[part] is None
    state = kafka_log_state(fragile_kafka.connection, PROCEDURE_EVENTS, {part: 12})
    assert state.found[part] is not None
