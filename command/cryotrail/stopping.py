"""Ending a recorder by a signal: after the transaction in hand, or without it when that hangs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from cryotrail.console import say
from cryotrail_consumers.recording.recorder import Recorder

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(recorder: Recorder, within_s: float) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the recorder after its transaction, a second one at once.

    :param within_s: a transaction that takes longer than this from the first signal on is given
        up, as by a second one: the database rolls it back, and it is recorded at the next start.
    """

    def stop(number: int, frame: object) -> None:
        for again in (*_ENDING, signal.SIGALRM):
            signal.signal(again, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, max(within_s, 0.001))
        say("stopping after the transaction in hand …")
        recorder.stop()

    before = {number: signal.signal(number, stop) for number in _ENDING}
    before[signal.SIGALRM] = signal.getsignal(signal.SIGALRM)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
