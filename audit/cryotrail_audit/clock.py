"""The store's clock, which notices when somebody moves it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from cryotrail_audit.errors import ClockJumped

LARGEST_STEP_S: Final = 300
"""How far the wall clock may move against the steady one between two appends."""


def _steady_ns() -> int:
    # Linux' monotonic clock stands still while the machine sleeps; its boot-time clock does not.
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class StoreClock:
    """Microseconds since 1970-01-01T00:00:00Z.

    ``recorded_us`` never decreases, so one stamp of the year 2099 would freeze it for good:
    rather than take such a step, the clock refuses until the process is started again by
    somebody who has looked at the machine's time.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = _steady_ns
    ) -> None:
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self._wall, self._steady = wall_ns(), steady_ns()

    def now_us(self) -> int:
        """The time.

        :raises ClockJumped: the wall clock was stepped by more than five minutes; and from then
            on at every call.
        """
        wall, steady = self._wall_ns(), self._steady_ns()
        step_s = ((wall - self._wall) - (steady - self._steady)) / 1e9
        if abs(step_s) > LARGEST_STEP_S:
            raise ClockJumped(
                f"the clock of this machine was moved by {step_s:+.0f} s; nothing is appended",
                hint="check the time service, then start this process again",
            )
        self._wall, self._steady = wall, steady
        return wall // 1000
