"""The store's clock, and what is done when it cannot be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from cryotrail_audit.appending.transaction import AppendTransaction
from cryotrail_audit.clock_confirmation import ClockConfirmation, newest_confirmation
from cryotrail_audit.errors import ClockJumped
from cryotrail_audit.places import read_places

LARGEST_STEP_S: Final = 300
"""How far the wall clock may be from where it ought to be."""

_S: Final = 1_000_000


def _steady_ns() -> int:
    # Linux' monotonic clock stands still while the machine sleeps; its boot-time clock does not.
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _wall_ns() -> int:
    return time.time_ns()


class _Reading(NamedTuple):
    """Both clocks at one moment."""

    wall_ns: int
    steady_ns: int


class _Seen(NamedTuple):
    """The clocks when the time was right."""

    wall_ns: int
    steady_ns: int
    tree_size: int


class StoreClock:
    """Microseconds since 1970-01-01T00:00:00Z.

    ``recorded_us`` never decreases, so one stamp of the year 2099 would freeze it for good. Rather
    than take one that may be wrong by more than five minutes, the clock refuses. It compares

    - the wall clock with the steady one, since the last append of this process;
    - at the first append of a process, the wall clock with the store's last stamp, which it may
      not be behind;
    - the wall clock with the database server's, where there is a server.

    An operator who has looked at the machine's time confirms it by an entry of the log
    (:mod:`cryotrail_audit.clock_confirmation`); from then on the clock goes on, in processes that
    run as well. What none of the three finds is a clock that was set forward while no process ran,
    beside a database without a clock of its own (SQLite).
    """

    def __init__(
        self, wall_ns: Callable[[], int] = _wall_ns, steady_ns: Callable[[], int] = _steady_ns
    ) -> None:
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self._server_ahead_us = 0
        self._right: _Reading
        """The last reading that :meth:`now_us` found right; there is none before it."""
        self._seen: _Seen | None = None

    def now_us(self, transaction: AppendTransaction) -> int:
        """The time, for what a transaction that holds the append lock is about to say.

        :raises ClockJumped: the clock may be wrong, and nobody has confirmed it; retriable.
        """
        # One reading for the judgement, the stamp and what later steps are counted from: a clock
        # that is moved in the midst of an append is found by the next one.
        reading = self._read()
        doubts = self._doubts(transaction, reading)
        confirmed = newest_confirmation(transaction.connection) if doubts else None
        now_us = reading.wall_ns // 1000
        if doubts and not (confirmed and self._is_covered(transaction, confirmed, now_us)):
            raise ClockJumped(
                f"the clock of this machine {'; '.join(doubts)}: nothing is appended",
                hint="check the time service; once the clock is right, on this machine:"
                " cryotrail audit confirm-clock. Then what waits goes on by itself",
            )
        self._right = reading
        if confirmed is not None:
            self._server_ahead_us = confirmed.server_ahead_us
            self.appended(confirmed.place + 1)
        elif self._seen is None:
            self.appended(read_places(transaction.connection).size)
        return now_us

    def unguarded_us(self) -> int:
        """What the wall clock says, right or wrong."""
        return self._wall_ns() // 1000

    def appended(self, tree_size: int) -> None:
        """The time that :meth:`now_us` last gave was right when the store had so many entries.

        Steps are counted from it on, and earlier confirmations cover none of them.
        """
        self._seen = _Seen(*self._right, tree_size)

    def _read(self) -> _Reading:
        return _Reading(self._wall_ns(), self._steady_ns())

    def _doubts(self, transaction: AppendTransaction, reading: _Reading) -> list[str]:
        now_us = reading.wall_ns // 1000
        doubts = []
        if self._seen is None:
            behind_s = (transaction.log_end().recorded_us - now_us) / _S
            if behind_s > LARGEST_STEP_S:
                doubts.append(f"is {behind_s:.0f} s behind the last entry of the store")
        else:
            passed_ns = reading.steady_ns - self._seen.steady_ns
            step_s = (reading.wall_ns - self._seen.wall_ns - passed_ns) / 1e9
            if abs(step_s) > LARGEST_STEP_S:
                doubts.append(f"was moved by {step_s:+.0f} s")
        server_ahead_us = (transaction.server_us or now_us) - now_us
        if not _is_near(server_ahead_us, 0, self._server_ahead_us):
            doubts.append(f"is {-server_ahead_us / _S:+.0f} s from the database server's")
        return doubts

    def _is_covered(
        self, transaction: AppendTransaction, confirmed: ClockConfirmation, now_us: int
    ) -> bool:
        """Whether the confirmation is of the clock as it is now, and of nothing earlier."""
        if self._seen is not None and confirmed.place < self._seen.tree_size:
            return False
        server_ahead_us = (transaction.server_us or now_us) - now_us
        latest_us = max(confirmed.recorded_us, now_us + LARGEST_STEP_S * _S)
        return (
            _is_near(server_ahead_us, 0, confirmed.server_ahead_us)
            and transaction.log_end().recorded_us <= latest_us
        )


def _is_near(us: int, *accepted_us: int) -> bool:
    return any(abs(us - one) <= LARGEST_STEP_S * _S for one in accepted_us)
