"""The contract of resets: one transaction of claim, position and entry. On both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from audit_records import CLUSTER, NOBODYS_HASH, TOPIC_NAME, TOPIC_UUID, Writer, record

from cryotrail_audit.errors import Fenced, PositionMoved
from cryotrail_audit.records import PositionReset, Skip
from cryotrail_audit.store import AuditStore
from cryotrail_audit.verification import verify

OWNER = "reset/kobayashi@or-1/1"


@pytest.fixture
def writer(audit_store: AuditStore) -> Writer:
    """A recorder that has recorded the offsets 0 to 9."""
    writer = Writer(audit_store)
    writer.append(record(offset) for offset in range(10))
    return writer


def reset(to_offset: int, **columns: Any) -> PositionReset:
    given: dict[str, Any] = {
        "topic_id": 1,
        "part": 0,
        "incarnation": 0,
        "recorded_offset": 10,
        "from_offset": 10,
        "to_offset": to_offset,
        "unread_count": 0,
        "last_record_hash": NOBODYS_HASH,
    }
    return PositionReset(**(given | columns))


def moved(store: AuditStore, *resets: PositionReset) -> int:
    return store.reset_positions(resets, OWNER, "why", "kobayashi@or-1").first_seq


def test_the_position_is_moved_and_the_log_says_so(
    audit_store: AuditStore, store_url: str, writer: Writer
) -> None:
    seq = moved(audit_store, reset(4))

    position = audit_store.position(TOPIC_NAME, 0)
    ((entry,),) = audit_store.entries(after_seq=seq - 1)
    said = json.loads(entry.raw or b"")
    assert position is not None and position.next_offset == 4
    assert audit_store.furthest_position(position).next_offset == 10
    assert (entry.kind, entry.event_type) == (3, "position_reset")
    assert (said["from_offset"], said["to_offset"], said["offset_count"]) == (10, 4, 6)
    assert (said["reason"], said["decided_by"]) == ("why", "kobayashi@or-1")
    assert verify(store_url).result == "intact"


def test_whoever_was_reading_is_told_to_look_again_and_not_that_it_lost_the_partition(
    audit_store: AuditStore, writer: Writer
) -> None:
    audit_store.check_claims(writer.owner, {(1, 0): writer.epoch})
    moved(audit_store, reset(4))

    with pytest.raises(PositionMoved, match="reset by kobayashi@or-1"):
        writer.append([record(10)])
    with pytest.raises(PositionMoved, match="reset by kobayashi@or-1"):
        audit_store.check_claims(writer.owner, {(1, 0): writer.epoch})


def test_another_recorders_claim_above_the_resets_is_another_recorders(
    audit_store: AuditStore, writer: Writer
) -> None:
    moved(audit_store, reset(4))
    Writer(audit_store, owner="recorder-2")

    with pytest.raises(Fenced, match="recorder-2"):
        writer.append([record(10)])
    with pytest.raises(Fenced, match="recorder-2"):
        audit_store.check_claims(writer.owner, {(1, 0): writer.epoch})


def test_a_reset_back_does_not_mind_a_recorder_that_went_on(
    audit_store: AuditStore, writer: Writer
) -> None:
    writer.append([record(10)])

    seq = moved(audit_store, reset(4))

    ((entry,),) = audit_store.entries(after_seq=seq - 1)
    assert json.loads(entry.raw or b"")["from_offset"] == 11


def test_a_skip_that_was_counted_from_elsewhere_moves_nothing(
    audit_store: AuditStore, writer: Writer
) -> None:
    writer.append([record(10)])
    before = audit_store.head()

    with pytest.raises(PositionMoved, match="stands at 11"):
        moved(audit_store, reset(20, unread_count=10))

    assert audit_store.head() == before
    assert writer.append([record(11)]).recorded == 1


def test_several_partitions_move_together_or_not_at_all(
    audit_store: AuditStore, writer: Writer
) -> None:
    with pytest.raises(PositionMoved):
        moved(audit_store, reset(4), reset(5, part=1))

    position = audit_store.position(TOPIC_NAME, 0)
    assert position is not None and position.next_offset == 10


def test_what_was_left_unread_is_known_by_its_incarnation(
    audit_store: AuditStore, writer: Writer
) -> None:
    moved(audit_store, reset(20, unread_count=10))

    position = audit_store.position(TOPIC_NAME, 0)
    assert position is not None
    assert audit_store.skips(position) == [Skip(10, 20)]
    assert audit_store.skips(position._replace(incarnation=1)) == []
    assert audit_store.skips(position._replace(part=1)) == []


def test_a_partition_that_was_never_read_gets_its_first_position(
    audit_store: AuditStore, store_url: str
) -> None:
    audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)

    moved(audit_store, reset(7, recorded_offset=None, from_offset=3, unread_count=4))

    position = audit_store.position(TOPIC_NAME, 0)
    assert position is not None
    assert (position.next_offset, audit_store.incarnation_begin(position)) == (7, 3)
    assert audit_store.furthest_position(position) == position
    assert verify(store_url).result == "intact"
