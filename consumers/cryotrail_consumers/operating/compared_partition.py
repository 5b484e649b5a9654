"""What a comparison of the store with something else says of one partition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

BLOCK_OFFSETS: Final = 2000
"""Compared at once, hence held in memory."""

_MOST_NAMED: Final = 100


class Difference(NamedTuple):
    """One offset at which the two do not agree."""

    offset: int
    what: str
    seq: int | None
    """The entry of the store, where there is one."""


@dataclass(slots=True, kw_only=True)
class ComparedPartition:
    """One partition, compared; what else a comparison counts it adds."""

    topic: str
    partition: int
    kafka_from: int
    """Where Kafka's log begins: what lies before cannot be compared."""
    topic_replaced: bool = False
    """The topic was made anew since: of what was recorded Kafka holds nothing."""
    equal: int = 0
    """Recorded offsets that agree."""
    not_comparable: int = 0
    """Sealed records whose key is destroyed, or not here."""
    skipped: int = 0
    """Records in Kafka that a reset left unread, as an entry of the log says."""
    difference_count: int = 0
    differences: list[Difference] = field(default_factory=list)
    """The first of them, by offset."""

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not (self.difference_count or self.topic_replaced)

    def differ(self, offset: int, what: str, seq: int | None) -> None:
        """Note a difference."""
        self.difference_count += 1
        if len(self.differences) < _MOST_NAMED:
            self.differences.append(Difference(offset, what, seq))
