"""Hashes that something outside the entries says the log had at a size: checkpoints, mostly."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple


class Expected(NamedTuple):
    """What the log, or the chain of its batches, must have at a size."""

    size: int
    root: bytes
    other: str
    """What is said when it has another root there."""
    shorter: str
    """What is said when it is shorter than that."""


class Expectations:
    """Expected roots, compared while the log is read."""

    def __init__(self) -> None:
        self._waiting: list[Expected] = []
        self.unmet: str | None = None
        """The first that was not as expected, in words."""

    def add(self, expected: Expected) -> None:
        """Wait for a size."""
        heapq.heappush(self._waiting, expected)

    def next_size(self, above: int, otherwise: int) -> int:
        """The smallest size waited for that is above one, if it is below ``otherwise``."""
        if self._waiting and above < self._waiting[0].size < otherwise:
            return self._waiting[0].size
        return otherwise

    def reached(self, size: int, root: Callable[[], bytes]) -> None:
        """The log has grown to a size, and has this root there."""
        while self._waiting and self._waiting[0].size <= size:
            expected = heapq.heappop(self._waiting)
            if expected.size < size or expected.root != root():
                self.unmet = self.unmet or expected.other

    def end(self) -> None:
        """The log grows no further."""
        if self._waiting:
            self.unmet = self.unmet or self._waiting[0].shorter
