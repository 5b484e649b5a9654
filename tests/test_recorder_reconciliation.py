"""Reconciliation compares what was recorded with what Kafka holds, by bytes and in both directions."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka.structs import TopicPartition
from kafka_damage import cut_tail
from kafka_fixtures import KafkaNode
from key_stores import key_store
from recorded_kafka import Message, message_of, publish, record_all
from replayed_cohort import of_procedure
from store_tables import tables_of

from cryotrail.commands.audit import main
from cryotrail_audit.origin.kafka_records import KafkaRecords
from cryotrail_consumers.operating.reconciliation import PartitionReconciliation, reconcile
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.kafka_sighting import KafkaSighting
from cryotrail_producers.kafka_clients import admin, producer
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.events import ProbeTelemetryChunk
from cryotrail_schemas.topics import EVENT_TOPICS, PROCEDURE_EVENTS

# kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is refused.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

PARTITION = 4
MESSAGES = [
    message_of(event)._replace(partition=PARTITION)
    for event in of_procedure("R09")
    if not isinstance(event, ProbeTelemetryChunk)
]


def reconciled(
    node: KafkaNode, url: str, cipher: RecordCipher | None = None
) -> list[PartitionReconciliation]:
    with (
        KafkaRecords.open(url) as records,
        closing(KafkaSighting(node.connection, EVENT_TOPICS)) as cluster,
        closing(KafkaLogReader(node.connection)) as reader,
    ):
        return list(reconcile(records, reader, cluster.cluster_id, cluster.topics, cipher))


def the_partition(
    node: KafkaNode, url: str, cipher: RecordCipher | None = None
) -> PartitionReconciliation:
    """The one that everything was published to; the others agree."""
    found = reconciled(node, url, cipher)
    assert all(one.agrees for one in found if (one.topic, one.partition) != _PLACE)
    return next(one for one in found if (one.topic, one.partition) == _PLACE)


_PLACE = (PROCEDURE_EVENTS, PARTITION)


def differences(found: PartitionReconciliation) -> list[tuple[int, str]]:
    return [(one.offset, one.what) for one in found.differences]


def recorded(node: KafkaNode, url: str, messages: list[Message]) -> None:
    publish(node.connection, messages, singly=True)
    record_all(node.connection, url)


def edit(url: str, sql: str) -> None:
    """As somebody who can write the database."""
    with tables_of(url) as tables:
        tables.drop_guards()
        tables.execute(sql)


def test_everything_that_was_recorded_is_in_kafka_byte_for_byte(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    unreadable = Message(PROCEDURE_EVENTS, b"key", b"\x07junk", [("h", b"1")], PARTITION)
    no_value = Message(PROCEDURE_EVENTS, b"key", None, (), PARTITION)
    recorded(fresh_topics, store_url, [*MESSAGES[:20], unreadable, no_value, *MESSAGES[:5]])
    publish(fresh_topics.connection, MESSAGES[20:23])

    found = the_partition(fresh_topics, store_url)

    assert found.agrees and found.difference_count == 0
    assert (found.equal, found.redeliveries, found.without_record) == (27, 5, 0)
    assert (found.kafka_from, found.kafka_below, found.recorded_below) == (0, 30, 27)
    assert found.not_yet_recorded == 3


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("raw = (select raw from entry where kafka_offset = 4)", "other value"),
        ("kafka_key = (select kafka_headers from entry where kafka_offset = 4)", "other key"),
        ("kafka_headers = null", "other headers"),
    ],
)
def test_an_edited_row_differs(
    fresh_topics: KafkaNode, sqlite_url: str, change: str, what: str
) -> None:
    recorded(fresh_topics, sqlite_url, MESSAGES[:6])
    edit(sqlite_url, f"update entry set {change} where kafka_offset = 3")

    found = the_partition(fresh_topics, sqlite_url)
    assert differences(found) == [(3, what)]
    assert found.differences[0].seq is not None and found.equal == 5


def test_a_record_that_is_in_no_row_is_named(fresh_topics: KafkaNode, store_url: str) -> None:
    recorded(fresh_topics, store_url, [*MESSAGES[:6], MESSAGES[0]])
    edit(store_url, "delete from entry where kafka_offset = 3")
    edit(store_url, "delete from redelivery where kafka_offset = 6")

    found = the_partition(fresh_topics, store_url)
    assert differences(found) == [(3, "not recorded"), (6, "not recorded")]
    assert [one.seq for one in found.differences] == [None, None]


def test_marks_of_transactions_and_aborted_records_are_nobodys(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    client: Any = producer(fresh_topics.connection, transactional_id="reconciled")
    client.init_transactions()
    for committed, messages in (
        (True, MESSAGES[:3]),
        (False, MESSAGES[3:5]),
        (True, MESSAGES[5:7]),
    ):
        client.begin_transaction()
        for one in messages:
            client.send(one.topic, one.value, one.key, list(one.headers), partition=one.partition)
        client.flush()
        (client.commit_transaction if committed else client.abort_transaction)()
    client.close()
    record_all(fresh_topics.connection, sqlite_url)

    found = the_partition(fresh_topics, sqlite_url)
    assert found.agrees and found.equal == 5
    assert found.without_record >= 4  # two aborted records, and the marks before the last record


def test_a_cut_tail_is_missing_and_what_was_written_in_its_place_differs(
    fragile_kafka: KafkaNode, sqlite_url: str
) -> None:
    recorded(fragile_kafka, sqlite_url, MESSAGES[:10])
    fragile_kafka.kill()
    cut_tail(fragile_kafka, PROCEDURE_EVENTS, PARTITION, keep=6)
    fragile_kafka.start()

    cut = the_partition(fragile_kafka, sqlite_url)
    assert differences(cut) == [(offset, "missing in Kafka") for offset in range(6, 10)]
    assert (cut.equal, cut.kafka_below, cut.recorded_below) == (6, 6, 10)

    publish(fragile_kafka.connection, MESSAGES[20:23], singly=True)
    rewritten = the_partition(fragile_kafka, sqlite_url)
    assert differences(rewritten) == [
        (6, "other value"), (7, "other value"), (8, "other value"), (9, "missing in Kafka"),
    ]  # fmt: skip


def test_what_kafka_no_longer_retains_is_not_compared_and_counted(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    recorded(fresh_topics, sqlite_url, MESSAGES[:10])
    client = admin(fresh_topics.connection)
    try:
        client.delete_records({TopicPartition(PROCEDURE_EVENTS, PARTITION): 4})
    finally:
        client.close()

    found = the_partition(fresh_topics, sqlite_url)
    assert found.agrees
    assert (found.kafka_from, found.not_retained, found.equal) == (4, 4, 6)


def test_what_kafka_deleted_before_it_was_recorded_is_a_finding(
    fresh_topics: KafkaNode, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(fresh_topics, sqlite_url, MESSAGES[:5])
    publish(fresh_topics.connection, MESSAGES[5:9], singly=True)
    client = admin(fresh_topics.connection)
    try:
        client.delete_records({TopicPartition(PROCEDURE_EVENTS, PARTITION): 8})
    finally:
        client.close()

    found = the_partition(fresh_topics, sqlite_url)
    assert (found.deleted_unrecorded, found.not_yet_recorded, found.agrees) == (3, 1, False)
    settings = replace(fresh_topics.settings, audit_url=sqlite_url)
    assert main(["reconcile"], settings) == 1
    assert "3 offsets deleted unrecorded" in capsys.readouterr().out


def test_a_sealed_record_whose_key_is_gone_is_not_called_equal(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    unreadable = Message(PROCEDURE_EVENTS, b"key", b"\x07junk", [("h", b"1")], PARTITION)
    publish(fresh_topics.connection, [*MESSAGES[:2], unreadable, unreadable], singly=True)
    with key_store(tmp_path) as keys:
        cipher = RecordCipher(keys)
        record_all(fresh_topics.connection, sqlite_url, records=cipher)
        keys.destroy(keys.scopes()[0].scope)

        found = the_partition(fresh_topics, sqlite_url, cipher)
        elsewhere = the_partition(fresh_topics, sqlite_url)

    assert (found.equal, found.not_comparable, found.agrees) == (3, 1, True)
    assert (elsewhere.equal, elsewhere.not_comparable, elsewhere.agrees) == (2, 2, True)
    edit(sqlite_url, "update entry set kafka_key = x'00' where kafka_offset >= 2")
    assert differences(the_partition(fresh_topics, sqlite_url)) == [
        (2, "other key"), (3, "other key"),
    ]  # fmt: skip


def test_a_topic_that_was_made_anew_is_said_to_be_replaced(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    recorded(fresh_topics, sqlite_url, MESSAGES[:5])
    fresh_topics.recreate_topics()

    found = next(
        o for o in reconciled(fresh_topics, sqlite_url) if (o.topic, o.partition) == _PLACE
    )
    assert found.topic_replaced and not found.agrees and not found.differences

    recorded(fresh_topics, sqlite_url, MESSAGES[:5])
    assert the_partition(fresh_topics, sqlite_url).equal == 5


def test_the_command_prints_the_partitions_and_exits_1_on_a_difference(
    fresh_topics: KafkaNode, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(fresh_topics, sqlite_url, MESSAGES[:6])
    settings = replace(fresh_topics.settings, audit_url=sqlite_url)

    assert main(["reconcile"], settings) == 0
    printed = capsys.readouterr().out
    assert f"{PROCEDURE_EVENTS}[{PARTITION}]" in printed
    assert "6 records equal, 0 differences" in printed

    edit(sqlite_url, "update entry set raw = x'00' where kafka_offset = 2")
    assert main(["reconcile", "--topic", PROCEDURE_EVENTS, "--json"], settings) == 1
    found = [one for one in json.loads(capsys.readouterr().out) if not one["agrees"]]
    assert [(one["partition"], one["equal"]) for one in found] == [(PARTITION, 5)]
    (difference,) = found[0]["differences"]
    assert (difference["offset"], difference["what"]) == (2, "other value")
