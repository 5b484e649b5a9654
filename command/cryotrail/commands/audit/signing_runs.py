"""What signer and witness processes share: progress, and running until told to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from cryotrail.console import progress, say
from cryotrail.log_signing import Stopped, stopping_progress
from cryotrail.signalled_stop import SignalledStop
from cryotrail_audit.checkpoints.following import follow


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
