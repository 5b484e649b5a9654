"""How long a recorder waits for what is away, and when it has waited long enough."""

from __future__ import annotations

import time

from cryotrail_consumers.errors import GivenUp
from cryotrail_producers.back_off import BackOff
from cryotrail_schemas.errors import CryotrailError

_SHORTEST_WAIT_S = 0.1
_LONGEST_WAIT_S = 30.0


class Patience:
    """Growing pauses from the first failure on, until what failed succeeds."""

    def __init__(self, give_up_after_s: float | None = None) -> None:
        """``give_up_after_s``: the longest that is waited for all in all; None = for ever."""
        self._give_up_after_s = give_up_after_s
        self._back_off = BackOff(_SHORTEST_WAIT_S, _LONGEST_WAIT_S)
        self._failing_since_s: float | None = None

    def next_s(self, error: CryotrailError) -> float:
        """How long to wait after this failure.

        :raises GivenUp: it was waited for long enough.
        """
        now_s = time.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        wait_s = self._back_off.next_s()
        if self._give_up_after_s is None:
            return wait_s
        left_s = self._failing_since_s + self._give_up_after_s - now_s
        if left_s <= 0:
            raise GivenUp(self._give_up_after_s, error) from error
        return min(wait_s, left_s)

    def succeeded(self) -> None:
        """What failed works again: begin anew."""
        self._back_off.reset()
        self._failing_since_s = None
