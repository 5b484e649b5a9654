"""Rows that Kafka refused: each stops its own procedure, and is tried again after growing pauses."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cryotrail_producers.back_off import BackOff
from cryotrail_producers.outbox.drain import Lane


@dataclass(slots=True)
class _Refusal:
    row_id: int
    back_off: BackOff
    again_at: float


class Refusals:
    """At most one row a lane: the first that was refused. What lies behind it waits for it."""

    def __init__(self, min_s: float, max_s: float) -> None:
        """The shortest and the longest pause before a refused row is tried again."""
        self._min_s = min_s
        self._max_s = max_s
        self._by_lane: dict[Lane, _Refusal] = {}

    def note(self, lane: Lane, row_id: int) -> bool:
        """A row was refused; True when it is not the one that was refused in this lane before."""
        known = self._by_lane.get(lane)
        new = known is None or known.row_id != row_id
        if known is None or new:
            known = _Refusal(row_id, BackOff(self._min_s, self._max_s), 0.0)
            self._by_lane[lane] = known
        known.again_at = time.monotonic() + known.back_off.next_s()
        return new

    def row_id(self, lane: Lane) -> int | None:
        """The row that stops a lane, None when nothing does."""
        refusal = self._by_lane.get(lane)
        return None if refusal is None else refusal.row_id

    def is_due(self, lane: Lane) -> bool:
        """Whether the row that stops a lane may be tried again."""
        return time.monotonic() >= self._by_lane[lane].again_at

    def forget(self, lane: Lane) -> None:
        """The row was accepted."""
        del self._by_lane[lane]
