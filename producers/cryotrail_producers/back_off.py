"""How long to wait before trying again: longer each time, never twice the same."""

from __future__ import annotations

import random


class BackOff:
    """Exponential back-off with jitter, so that many rooms do not return to a broker at once."""

    def __init__(self, min_s: float, max_s: float) -> None:
        self._min_s = min_s
        self._max_s = max_s
        self._next_s = min_s

    def next_s(self) -> float:
        """The wait after one more failure: half to all of a span that doubles up to the longest."""
        span_s, self._next_s = self._next_s, min(self._max_s, self._next_s * 2)
        return random.uniform(span_s / 2, span_s)

    def reset(self) -> None:
        """Something succeeded: begin with the shortest wait again."""
        self._next_s = self._min_s
