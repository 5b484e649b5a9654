"""Moving positions at an operator's word: a newer claim, a position row and an entry, at once.

A position is the newest ``batch_partition`` row of a partition, so it is moved by a further row
that covers no record. The claim, made in the same transaction, fences whoever is reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cryotrail_audit.appending.append import append_administrative
from cryotrail_audit.appending.prepare import prepare_administrative
from cryotrail_audit.appending.transaction import AppendTransaction, PartitionState
from cryotrail_audit.errors import PositionMoved
from cryotrail_audit.reading import read_topics
from cryotrail_audit.records import (
    POSITION_RESET,
    Administrative,
    AppendOutcome,
    PartitionProgress,
    PositionReset,
    StoredTopic,
)
from cryotrail_audit.registration import add_claims


def reset_positions(
    transaction: AppendTransaction,
    resets: Sequence[PositionReset],
    owner: str,
    reason: str | None,
    decided_by: str,
    now_us: int,
) -> AppendOutcome:
    """Move positions; the caller's transaction holds the lock and commits.

    :raises PositionMoved: one is not where it was when the reset was decided.
    """
    states = transaction.partition_states([(one.topic_id, one.part) for one in resets])
    parts: dict[int, list[int]] = defaultdict(list)
    resets = [_from_here(one, states[one.topic_id, one.part]) for one in resets]
    for one in resets:
        parts[one.topic_id].append(one.part)
    epochs = {
        (topic_id, part): epoch
        for topic_id in parts
        for part, epoch in add_claims(transaction, owner, topic_id, parts[topic_id], now_us).items()
    }
    topics = read_topics(transaction.connection)
    said = [
        Administrative(POSITION_RESET, _payload(one, topics, reason, decided_by)) for one in resets
    ]
    rows = [_progress(one, epochs[one.topic_id, one.part]) for one in resets]
    return append_administrative(transaction, prepare_administrative(said), now_us, rows)


def _from_here(reset: PositionReset, state: PartitionState) -> PositionReset:
    """The reset from where the partition stands under the lock.

    To go back, it does not matter that a recorder went on meanwhile. To skip, it does: it was
    counted what is left unread.
    """
    at = (state.incarnation, state.next_offset)
    if reset.recorded_offset is None and at == (None, None):
        return reset
    if state.next_offset is not None and state.incarnation == reset.incarnation:
        if state.next_offset == reset.recorded_offset:
            return reset
        if reset.to_offset < reset.from_offset and reset.to_offset < state.next_offset:
            return reset._replace(from_offset=state.next_offset)
    raise PositionMoved(
        f"partition {reset.part} of topic {reset.topic_id} stands at {state.next_offset}"
        f" (incarnation {state.incarnation}) by now, not at {reset.recorded_offset}"
        f" (incarnation {reset.incarnation})",
        hint="a recorder is at work: look again, and repeat the reset",
    )


def _payload(
    reset: PositionReset,
    topics: Mapping[int, StoredTopic],
    reason: str | None,
    decided_by: str,
) -> dict[str, Any]:
    topic = topics[reset.topic_id]
    return {
        "topic": topic.name,
        "partition": reset.part,
        "cluster_id": topic.cluster_id,
        "topic_uuid": str(topic.topic_uuid),
        "topic_id": reset.topic_id,
        "incarnation": reset.incarnation,
        "from_offset": reset.from_offset,
        "to_offset": reset.to_offset,
        "offset_count": abs(reset.to_offset - reset.from_offset),
        "unread_count": reset.unread_count,
        "reason": reason,
        "decided_by": decided_by,
    }


def _progress(reset: PositionReset, epoch: int) -> PartitionProgress:
    return PartitionProgress(
        topic_id=reset.topic_id,
        part=reset.part,
        incarnation=reset.incarnation,
        epoch=epoch,
        first_offset=min(reset.from_offset, reset.to_offset),
        next_offset=reset.to_offset,
        record_count=0,
        last_record_hash=reset.last_record_hash,
    )
