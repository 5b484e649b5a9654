"""A reset of a log that lost its tail, lives on as another, or is damaged on disk."""

from __future__ import annotations

from collections import Counter

import pytest
from kafka_damage import cut_tail, flip_last_byte
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, publish, record_all
from reset_positions import GARBAGE, MESSAGES, PARTITION, Operator, offsets

from cryotrail_schemas.topics import PROCEDURE_EVENTS

# kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is refused.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def fragile_operator(
    fragile_kafka: KafkaNode, sqlite_operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> Operator:
    """An operator whose Kafka may be broken."""
    monkeypatch.setenv("CRYOTRAIL_KAFKA_BOOTSTRAP", fragile_kafka.bootstrap)
    return sqlite_operator


def test_a_tail_that_is_cut_off_before_the_rereading_is_noticed(
    fragile_kafka: KafkaNode, sqlite_url: str, fragile_operator: Operator
) -> None:
    node = fragile_kafka
    publish(node.connection, MESSAGES[:30], singly=True)
    record_all(node.connection, sqlite_url)
    fragile_operator.reset("--to-offset", "10")
    node.kill()
    cut_tail(node, PROCEDURE_EVENTS, PARTITION, keep=25)
    node.start()
    publish(node.connection, MESSAGES[30:50])

    tally = record_all(node.connection, sqlite_url)

    assert (tally.alarms, tally.recorded) == (1, 20)
    counted = Counter(entry.raw for entry in all_entries(sqlite_url, kinds=(0,)))
    assert counted == Counter(message.value for message in MESSAGES[:50])


def test_in_a_later_life_of_a_log_a_reset_goes_back_to_its_beginning_and_no_further(
    fragile_kafka: KafkaNode, sqlite_url: str, fragile_operator: Operator
) -> None:
    node = fragile_kafka
    publish(node.connection, [*MESSAGES[:20], GARBAGE, *MESSAGES[20:30]], singly=True)
    record_all(node.connection, sqlite_url)
    node.kill()
    cut_tail(node, PROCEDURE_EVENTS, PARTITION, keep=25)
    node.start()
    publish(node.connection, MESSAGES[30:40])
    assert record_all(node.connection, sqlite_url).alarms == 1

    done = fragile_operator.reset("--to-start")
    tally = record_all(node.connection, sqlite_url)

    assert (done["clamped_from"], done["to_offset"]) == (0, 25)
    assert (tally.known, tally.recorded, tally.redelivered, tally.quarantined) == (10, 0, 0, 0)


def test_a_damaged_batch_that_holds_a_partition_up_can_be_skipped(
    fragile_kafka: KafkaNode, sqlite_url: str, fragile_operator: Operator
) -> None:
    node = fragile_kafka
    publish(node.connection, MESSAGES[:10], singly=True)
    node.stop()
    flip_last_byte(node, PROCEDURE_EVENTS, PARTITION)
    node.start()
    publish(node.connection, MESSAGES[10:20])
    assert record_all(node.connection, sqlite_url).held_up == 1

    fragile_operator.reset("--to-offset", "10", "--skip", "--reason", "damaged on disk")
    tally = record_all(node.connection, sqlite_url)
    again = record_all(node.connection, sqlite_url)

    assert (tally.recorded, tally.held_up, tally.alarms) == (10, 0, 0)
    assert (again.records, again.alarms) == (0, 0)
    assert offsets(sqlite_url) == [*range(9), *range(10, 20)]
