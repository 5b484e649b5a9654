"""The contract of an append: numbers, leaves, root, all or nothing. It runs on both databases."""

from hashlib import sha256

import pytest
from audit_records import Writer, batch, record

from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.framing import leaf_hash, pack_head, pack_tail
from cryotrail_audit.records import (
    ADMINISTRATIVE,
    EVENT,
    QUARANTINED,
    Administrative,
    IncomingBatch,
    IncomingRecord,
)
from cryotrail_schemas.merkle import EMPTY_ROOT


def naive_root(leaves):
    """RFC 6962 section 2.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = naive_root(leaves[:split]), naive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


def all_entries(store, **options):
    return [entry for rows in store.entries(**options) for entry in rows]


def test_an_empty_store_has_the_empty_root(audit_store):
    head = audit_store.head()

    assert head == (-1, 0, EMPTY_ROOT, None)
    assert all_entries(audit_store) == []
    assert audit_store.counts() == (0, 0, 0, 0, 0)


def test_entries_are_numbered_without_a_gap_in_the_order_given(audit_store):
    writer = Writer(audit_store)

    outcomes = [writer.append(record(3 * n + i) for i in range(3)) for n in range(4)]

    entries = all_entries(audit_store)
    assert [entry.seq for entry in entries] == list(range(13))  # entry 0 registers the topic
    assert [entry.kafka_offset for entry in entries[1:]] == list(range(12))
    assert [outcome.first_seq for outcome in outcomes] == [1, 4, 7, 10]
    assert [outcome.batch_no for outcome in outcomes] == [1, 2, 3, 4]
    assert [outcome.recorded for outcome in outcomes] == [3, 3, 3, 3]


def test_each_procedure_counts_its_own_entries_over_events_and_quarantine(audit_store):
    writer = Writer(audit_store)
    mine, other = b"a" * 16, b"b" * 16

    writer.append([record(0, procedure_id=mine), record(1, procedure_id=other)])
    writer.append([record(2, procedure_id=mine, reason="undecodable")], kind=QUARANTINED)
    writer.append([record(3, procedure_id=None, reason="undecodable")], kind=QUARANTINED)
    writer.append([record(4, procedure_id=mine), record(5, procedure_id=mine)])

    numbers = [entry.procedure_entry_no for entry in all_entries(audit_store)[1:]]
    assert numbers == [1, 1, 2, None, 3, 4]


@pytest.mark.parametrize("sizes", [[1], [2, 1], [3, 4, 1, 8], [16, 1], [5, 5, 5, 5, 5, 5]])
def test_the_root_of_every_batch_is_that_of_rfc_6962_over_its_leaves(audit_store, sizes):
    writer = Writer(audit_store)
    offset = 0

    for size in sizes:
        outcome = writer.append(record(offset + i) for i in range(size))
        offset += size

        leaves = [entry.leaf_hash for entry in all_entries(audit_store)]
        assert outcome.root == naive_root(leaves)
        assert outcome.tree_size == len(leaves)
        assert audit_store.head()[:3] == (outcome.batch_no, len(leaves), outcome.root)


def test_every_column_comes_back_as_it_was_given_and_is_under_the_leaf(audit_store):
    writer = Writer(audit_store)
    given = record(
        0,
        producer_id="Gerät β/1",
        key_id=b"key",
        signing_key_id=b"",
        signature=b"\x00\xff",
        reason="a flag",
        kafka_key=b"",
    )

    writer.append([given])

    entry = all_entries(audit_store)[1]
    assert IncomingRecord(*entry[6:-1]) == given
    assert entry.leaf_hash == leaf_hash(
        pack_head(1, EVENT, 1, 1, entry.recorded_us), pack_tail(given)
    )


def test_null_and_empty_are_different_and_both_kept(audit_store):
    writer = Writer(audit_store)
    nothing = {"kafka_key": None, "kafka_headers": None, "raw": None, "reason": None}
    empty = {"kafka_key": b"", "kafka_headers": b"", "raw": b"", "reason": ""}

    writer.append([record(0, **nothing), record(1, **empty)], kind=QUARANTINED)

    _, without, with_empty = all_entries(audit_store)
    assert {name: getattr(without, name) for name in nothing} == nothing
    assert {name: getattr(with_empty, name) for name in empty} == empty
    assert without.leaf_hash != with_empty.leaf_hash


def test_administrative_entries_stand_before_the_records_of_their_batch(audit_store):
    writer = Writer(audit_store)
    alarm = Administrative("loss_alarm", {"partition": 3, "text": "Ä", "lost": [30, 49]})

    outcome = writer.append([record(0)], administrative=[alarm])

    said, event = all_entries(audit_store, after_seq=outcome.first_seq - 1)
    assert (said.kind, said.event_type, event.kind) == (ADMINISTRATIVE, "loss_alarm", EVENT)
    assert said.raw == '{"partition": 3, "text": "Ä", "lost": [30, 49]}'.encode()
    assert said.content_hash == sha256(said.raw).digest()
    assert (said.procedure_entry_no, said.topic_id, said.kafka_offset) == (None, None, None)


def test_a_batch_without_new_entries_moves_the_position_and_keeps_the_root(audit_store):
    writer = Writer(audit_store)
    before = writer.append([record(0)])

    only_control_records = batch([record(1)], writer.epoch)._replace(records=())
    outcome = audit_store.append(only_control_records)

    assert (outcome.root, outcome.tree_size) == (before.root, before.tree_size)
    assert audit_store.position("cryotrail.procedure-events", 0).next_offset == 2


def test_recorded_us_is_one_for_a_batch_and_never_decreases(audit_store):
    writer = Writer(audit_store)

    for offset in range(0, 20, 2):
        writer.append([record(offset), record(offset + 1)])

    times = [entry.recorded_us for entry in all_entries(audit_store)[1:]]
    assert times == sorted(times)
    assert times[0::2] == times[1::2]


def test_a_refused_batch_leaves_nothing_behind(audit_store):
    writer = Writer(audit_store)
    before = writer.append([record(0)])

    with pytest.raises(BatchRefused, match="event_id"):
        writer.append([record(1), record(2, event_id=b"too short")])

    assert audit_store.head().root == before.root
    assert audit_store.position("cryotrail.procedure-events", 0).next_offset == 1
    assert len(all_entries(audit_store)) == 2


def test_an_empty_batch_is_refused(audit_store):
    with pytest.raises(BatchRefused, match="empty batch"):
        audit_store.append(IncomingBatch((), (), (), "anybody"))


@pytest.mark.parametrize(
    "records",
    [
        [record(1), record(0)],
        [record(0), record(0, event_id=b"x" * 16)],
        [record(0, part=1)],
        [record(0, incarnation=1)],
        [record(0, topic_id=2)],
    ],
    ids=["backwards", "the same offset twice", "partition", "incarnation", "topic"],
)
def test_a_record_outside_what_the_batch_says_of_its_partition_is_refused(audit_store, records):
    writer = Writer(audit_store)
    whole = batch([record(0), record(1)], writer.epoch)

    with pytest.raises(BatchRefused, match="lies outside"):
        audit_store.append(whole._replace(records=[(EVENT, item) for item in records]))


def test_a_record_behind_the_end_of_its_partition_is_refused(audit_store):
    writer = Writer(audit_store)
    whole = batch([record(0), record(1)], writer.epoch)

    with pytest.raises(BatchRefused, match="ends before 2"):
        audit_store.append(whole._replace(records=[(EVENT, record(2))]))


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_only_events_and_quarantined_records_come_from_outside(audit_store, kind):
    writer = Writer(audit_store)

    with pytest.raises(BatchRefused, match="only 0 and 2"):
        writer.append([record(0)], kind=kind)
