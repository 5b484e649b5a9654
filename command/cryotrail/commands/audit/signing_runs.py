"""What signer and witness processes share: signals, progress, and running until told to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from cryotrail.console import progress, say
from cryotrail.log_signing import Stopped, stopping_progress
from cryotrail_audit.checkpoints.following import follow

_LOOK_EVERY_S: Final = 0.1


class SignalledStop:
    """A flag that a signal's handler sets.

    Not a :class:`threading.Event`: its lock is not to be taken twice by one thread, which a handler
    that interrupts its ``wait`` would do.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        """Say that the process is to stop."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether the process is to stop."""
        return self._is_set

    def wait(self, timeout: float) -> None:
        """Wait so many seconds, or until the process is to stop."""
        until = time.monotonic() + timeout
        while not self._is_set and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_EVERY_S))


@contextmanager
def stopped_by_signals() -> Iterator[SignalledStop]:
    """A flag that SIGTERM or Ctrl-C sets; the handlers of before come back at the end."""
    stopping = SignalledStop()

    def stop(_signal_number: int, _frame: object) -> None:
        stopping.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def hashing(total: int, stopping: SignalledStop) -> Iterator[Callable[[int], None]]:
    """Show how far entries are hashed; the work ends when the process is told to stop."""
    with progress("hashing", total) as advance:
        yield stopping_progress(advance, stopping.is_set)


def serve(
    name: str, is_due: Callable[[bool], bool], step: Callable[[], None], stop: SignalledStop
) -> int:
    """Follow the log until told to stop; returns the exit code."""
    say(f"{name} runs; it ends with Ctrl-C or SIGTERM")
    with suppress(Stopped):
        follow(is_due, step, stop)
    say(f"{name} has ended")
    return 0
