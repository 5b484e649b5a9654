"""The contract of partitions: claims fence, positions never go back. On both databases."""

from uuid import UUID

import pytest
from audit_records import (
    CLUSTER,
    NOBODYS_HASH,
    TOPIC_NAME,
    TOPIC_UUID,
    Writer,
    batch,
    progress,
    record,
)

from cryotrail_audit.errors import BatchRefused, Fenced, PositionMoved
from cryotrail_audit.records import EVENT, IncomingBatch, Position


@pytest.fixture
def writer(audit_store):
    return Writer(audit_store)


def test_a_claim_is_one_more_than_the_highest_for_each_partition_alone(audit_store):
    topic_id = audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)

    first = audit_store.claim("a", topic_id, [0, 1])
    second = audit_store.claim("b", topic_id, [1, 2])

    assert (first, second) == ({0: 1, 1: 1}, {1: 2, 2: 1})


def test_whoever_claimed_before_is_fenced_and_writes_nothing(audit_store, writer):
    writer.append([record(0)])
    newer = Writer(audit_store, owner="recorder-2")

    with pytest.raises(Fenced, match=r"recorder-2 \(epoch 2\), not by recorder-1 \(epoch 1\)"):
        writer.append([record(1)])

    assert newer.append([record(1)]).recorded == 1


def test_claims_are_looked_at_partition_by_partition_however_their_epochs_differ(audit_store):
    first = audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
    second = audit_store.register_topic(CLUSTER, UUID(int=7), "cryotrail.probe-telemetry")
    for _ in range(3):
        audit_store.claim("before", first, [0])
    ours = {(first, 0): audit_store.claim("a", first, [0])[0]}
    ours[second, 1] = audit_store.claim("a", second, [1])[1]
    audit_store.claim("b", first, [1])
    audit_store.claim("b", second, [0])

    assert ours == {(first, 0): 4, (second, 1): 1}
    audit_store.check_claims("a", ours)
    audit_store.claim("b", second, [1])
    with pytest.raises(Fenced, match=r"partition 1 .*by b \(epoch 2\), not by a \(epoch 1\)"):
        audit_store.check_claims("a", ours)
    audit_store.check_claims("a", {(first, 0): 4})
    with pytest.raises(Fenced, match="nobody"):
        audit_store.check_claims("a", {(first, 2): 1})


def test_an_epoch_does_not_help_another_owner(audit_store, writer):
    with pytest.raises(Fenced):
        audit_store.append(batch([record(0)], writer.epoch, owner="somebody else"))


def test_nobody_appends_to_a_partition_that_nobody_claimed(audit_store):
    topic_id = audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)

    with pytest.raises(Fenced, match="nobody"):
        audit_store.append(batch([record(0, topic_id=topic_id)], epoch=1))


def test_one_fenced_partition_stops_the_whole_batch(audit_store, writer):
    audit_store.claim(writer.owner, writer.topic_id, [1])
    audit_store.claim("recorder-2", writer.topic_id, [1])
    mine, lost = record(0), record(0, part=1, event_id=b"x" * 16)

    with pytest.raises(Fenced):
        audit_store.append(
            IncomingBatch(
                [(EVENT, mine), (EVENT, lost)],
                [progress([mine], writer.epoch), progress([lost], 1)],
                (),
                writer.owner,
            )
        )

    assert audit_store.counts().events == 0


def test_a_partition_never_read_has_no_position(audit_store, writer):
    assert audit_store.position(TOPIC_NAME, 0) is None
    assert audit_store.position("another topic", 0) is None


def test_the_position_is_that_of_the_newest_batch(audit_store, writer):
    writer.append([record(0)])
    writer.append([record(7), record(9)])

    assert audit_store.position(TOPIC_NAME, 0) == Position(
        topic_id=writer.topic_id,
        topic_uuid=TOPIC_UUID,
        cluster_id=CLUSTER,
        part=0,
        incarnation=0,
        next_offset=10,
        last_record_hash=NOBODYS_HASH,
    )


def test_a_batch_appended_again_changes_nothing(audit_store, writer):
    before = writer.append([record(0), record(1)])

    with pytest.raises(PositionMoved, match=r"up to offset 2 .*begins at 0") as refused:
        writer.append([record(0), record(1)])

    assert refused.value.retriable
    assert audit_store.head().batch_no == before.batch_no


def test_a_gap_before_a_batch_is_legal(audit_store, writer):
    writer.append([record(0)])

    assert writer.append([record(50)]).recorded == 1


def test_a_new_incarnation_may_begin_at_lower_offsets_and_the_old_one_is_over(audit_store, writer):
    writer.append(record(offset) for offset in range(10))

    outcome = writer.append([record(4, incarnation=1, event_id=b"n" * 16)])

    assert outcome.recorded == 1
    assert audit_store.position(TOPIC_NAME, 0)[4:6] == (1, 5)
    with pytest.raises(PositionMoved, match="incarnation 0"):
        writer.append([record(10)])


def test_the_position_of_a_name_follows_a_re_created_topic(audit_store, writer):
    writer.append([record(0)])
    recreated = UUID(int=2)
    topic_id = audit_store.register_topic(CLUSTER, recreated, TOPIC_NAME)
    epoch = audit_store.claim(writer.owner, topic_id, [0])[0]

    assert audit_store.position(TOPIC_NAME, 0).topic_id == writer.topic_id
    first = record(0, topic_id=topic_id, incarnation=1, event_id=b"n" * 16)
    audit_store.append(batch([first], epoch))

    position = audit_store.position(TOPIC_NAME, 0)
    assert (position.topic_id, position.topic_uuid) == (topic_id, recreated)
    assert (position.incarnation, position.next_offset) == (1, 1)


def test_known_offsets_are_those_of_entries_and_redeliveries(audit_store, writer):
    writer.append([record(3), record(5), record(3)._replace(kafka_offset=6)])
    writer.append([record(8, incarnation=1, event_id=b"n" * 16)])

    assert audit_store.known_offsets(writer.topic_id, 0, 0, 3, 6) == {3, 5, 6}
    assert audit_store.known_offsets(writer.topic_id, 0, 0, 4, 5) == {5}
    assert audit_store.known_offsets(writer.topic_id, 0, 1, 0, 99) == {8}
    assert audit_store.known_offsets(writer.topic_id, 1, 0, 0, 99) == set()


@pytest.mark.parametrize(
    "columns", [{"next_offset": -1}, {"incarnation": 40000}, {"last_record_hash": b"short"}]
)
def test_a_progress_that_no_column_holds_is_refused(audit_store, writer, columns):
    empty = batch([record(0)], writer.epoch)
    moved = progress([record(0)], writer.epoch, **columns)

    with pytest.raises(BatchRefused):
        audit_store.append(empty._replace(records=(), partitions=[moved]))


def test_a_partition_is_given_once_in_a_batch(audit_store, writer):
    twice = [progress([record(0)], writer.epoch), progress([record(1)], writer.epoch)]

    with pytest.raises(BatchRefused, match="given twice"):
        audit_store.append(IncomingBatch((), twice, (), writer.owner))
