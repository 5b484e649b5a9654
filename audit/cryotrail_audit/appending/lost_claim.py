"""What is said to whoever appends to a partition under a claim that is not the newest."""

from __future__ import annotations

from cryotrail_audit.errors import Fenced, PositionMoved
from cryotrail_audit.records import RESET_OWNER

Claim = tuple[int | None, str | None]
"""Epoch and owner; both None = nobody has claimed the partition."""


def lost_claim(partition: tuple[int, int], ours: Claim, newest: Claim) -> Fenced | PositionMoved:
    """The error to raise: somebody else reads the partition now, or an operator moved its position.

    A reset claims the partition to stop what is in hand, and does not read it. So whoever had it
    goes on, from the position that it finds.

    :param partition: ``topic_id`` and number.
    """
    topic_id, part = partition
    epoch, owner = newest
    if owner is not None and owner.startswith(RESET_OWNER):
        return PositionMoved(
            f"the position of partition {part} of topic {topic_id} was reset by"
            f" {owner.removeprefix(RESET_OWNER)}",
            hint="nothing to do: a recorder goes on from the new position",
        )
    return Fenced(
        f"partition {part} of topic {topic_id} is claimed by"
        f" {owner or 'nobody'} (epoch {epoch}), not by {ours[1]} (epoch {ours[0]})",
        hint="drop the partition; claim it again only when it is assigned again",
    )
