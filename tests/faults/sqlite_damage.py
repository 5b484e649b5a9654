"""What a bad disk does to an SQLite file that nobody has open."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path


def overwrite_index(path: Path, chance: random.Random) -> None:
    """Overwrite the first page of an index of the outbox: no event is lost, and nothing is sound."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        (page_bytes,) = connection.execute("pragma page_size").fetchone()
        (page_no,) = connection.execute(
            "select rootpage from sqlite_master where name = 'event_waiting'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page_no - 1) * page_bytes)
        file.write(chance.randbytes(page_bytes))
