"""The circuit breaker of one partition: when to stop taking records whose schema is unknown.

The pattern of Nygard, *Release It!* (2nd edition, 2018), chapter 5: closed, open, half-open. It
knows numbers and times alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cryotrail_producers.back_off import BackOff

State = Literal["closed", "open", "half_open"]

_SHORTEST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When a breaker opens: more than ``records`` *and* more than ``share`` within the window."""

    records: int = 20
    share: float = 0.5
    """Of all records of the partition; from 0 to below 1."""
    window_s: float = 300.0


class Sample(NamedTuple):
    """One batch of a partition."""

    total: int
    unknown: int
    """Records whose schema is not known."""
    lead: int
    """Records before the first of them."""


class CircuitBreaker:
    """Judges each batch before it is recorded.

    - *closed*: batches pass, unless there are too many unknown records in the window, or from the
      first unknown one to the end of the batch: a long healthy beginning, as of a backlog, hides
      nothing.
    - *open*: nothing is read until :meth:`is_due`; the pauses grow.
    - *half open*: the next batch decides, by the share alone, since every look that let a few pass
      would drain the partition slowly.
    """

    def __init__(self, limits: BreakerLimits, back_off: BackOff | None = None) -> None:
        self.state: State = "closed"
        self._limits = limits
        self._back_off = back_off or BackOff(_SHORTEST_WAIT_S, _LONGEST_WAIT_S)
        self._window: deque[tuple[float, int, int]] = deque()
        self._due_s = 0.0

    def passes(self, sample: Sample, now_s: float) -> bool:
        """Whether a batch may be recorded whole; if not, the breaker is open from now on.

        What stands before the first unknown record may be recorded in any case.
        """
        tail = sample.total - sample.lead
        if self.state != "closed":
            if sample.unknown > self._limits.share * tail:
                self._open(now_s)
                return False
            self._close()
        while self._window and self._window[0][0] <= now_s - self._limits.window_s:
            self._window.popleft()
        self._window.append((now_s, sample.total, sample.unknown))
        total = sum(one[1] for one in self._window)
        unknown = sum(one[2] for one in self._window)
        if self._are_too_many(unknown, total) or self._are_too_many(sample.unknown, tail):
            self._open(now_s)
            return False
        return True

    def take_back(self) -> None:
        """Forget the batch that passed last: it was not recorded, and will be judged again."""
        if self._window:
            self._window.pop()

    def is_due(self, now_s: float) -> bool:
        """Whether an open breaker is to try again."""
        return self.state == "open" and now_s >= self._due_s

    def half_open(self) -> None:
        """Try again: the next batch decides."""
        self.state = "half_open"

    def _are_too_many(self, unknown: int, total: int) -> bool:
        return unknown > self._limits.records and unknown > self._limits.share * total

    def _open(self, now_s: float) -> None:
        self.state = "open"
        self._due_s = now_s + self._back_off.next_s()
        self._window.clear()

    def _close(self) -> None:
        self.state = "closed"
        self._back_off.reset()
        self._window.clear()
