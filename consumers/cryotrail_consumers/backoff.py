"""How long to wait before trying again."""

from __future__ import annotations

import random

_FIRST_S = 0.1
_LONGEST_S = 30.0


class Backoff:
    """Waits that double from 0.1 s to 30 s, each shortened by up to half at random.

    The randomness keeps recorders that failed together from trying again together.
    """

    def __init__(self) -> None:
        self._next_s = _FIRST_S

    def next_wait_s(self) -> float:
        """The wait that follows one more failure."""
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, _LONGEST_S)
        return wait_s * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Something succeeded."""
        self._next_s = _FIRST_S
