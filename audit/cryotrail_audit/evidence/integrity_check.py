"""SQLite's own check of its file, beside everything else: it needs no Python while it looks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path

from cryotrail_audit.evidence import Damage, Unreadable
from cryotrail_audit.evidence.rows import connected


@contextmanager
def integrity_check(file: Path) -> Iterator[Damage]:
    """Look at every page and every index of a file in a thread of its own, as a context manager.

    See https://sqlite.org/pragma.html#pragma_integrity_check. What was appended since is looked at
    too. When the block ends before the check does, the check is given up.
    """
    with closing(connected(file, by_threads=True)) as connection, ThreadPoolExecutor(1) as thread:
        looking = thread.submit(_first_finding, connection)

        def damage() -> str | None:
            try:
                return looking.result()
            except sqlite3.Error as error:
                raise Unreadable(f"{error!s:.200}") from error

        try:
            yield damage
        finally:
            while not looking.done():  # an interruption may come before there is what to interrupt
                connection.interrupt()
                wait([looking], timeout=0.02)


def _first_finding(connection: sqlite3.Connection) -> str | None:
    ((finding,),) = connection.execute("pragma integrity_check(1)")
    return None if finding == "ok" else " ".join(finding.split())
