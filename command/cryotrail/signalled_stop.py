"""A flag that SIGTERM or Ctrl-C sets, for processes that run until then."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LOOK_EVERY_S: Final = 0.1


class SignalledStop:
    """A flag that a signal's handler sets.

    Not a :class:`threading.Event`: its lock is not to be taken twice by one thread, which a handler
    that interrupts its ``wait`` would do.
    """

    def __init__(self, looked: Callable[[], None] = lambda: None) -> None:
        """``looked`` is called whenever the flag is looked at: whoever does so is not stuck."""
        self._is_set = False
        self._looked = looked

    def set(self) -> None:
        """Say that the process is to stop."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether the process is to stop."""
        self._looked()
        return self._is_set

    def wait(self, timeout: float) -> None:
        """Wait so many seconds, or until the process is to stop."""
        until = time.monotonic() + timeout
        while not self.is_set() and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_EVERY_S))


@contextmanager
def signalled_stop(looked: Callable[[], None] = lambda: None) -> Iterator[SignalledStop]:
    """A flag that SIGTERM or Ctrl-C sets; a second one ends the process at once.

    :param looked: as for :class:`SignalledStop`.
    """
    stopping = SignalledStop(looked)

    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(_signal_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
        stopping.set()

    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
