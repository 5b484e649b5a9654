"""One demonstration at a time in a home: two would stop each other's Kafka and recorder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from cryotrail.console import say
from cryotrail_producers.outbox_file.file_lock import FileLock

_LOOK_EVERY_S = 0.2


@contextmanager
def alone_in(home: Path) -> Iterator[FileLock]:
    """Wait until no other demonstration works in this home, then be the one that does.

    Yields the lock, which may be released before the block ends. A process that dies lets go of it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "demo.lock")
    try:
        if not lock.try_exclusive():
            say(f"another demo is at work in {home}; waiting for it")
            while not lock.try_exclusive():
                sleep(_LOOK_EVERY_S)
        yield lock
    finally:
        lock.close()
