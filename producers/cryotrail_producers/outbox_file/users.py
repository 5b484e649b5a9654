"""Who has an outbox file open, and whether the last of them closed it cleanly.

A file that was not, a new one and a copy put back in place of the file may lack numbers that were
given, so each is numbered under a new producer id.
"""

from __future__ import annotations

import logging
from pathlib import Path
from sqlite3 import Connection

from cryotrail_producers.outbox_file.delivery_numbers import mint_producer
from cryotrail_producers.outbox_file.file_lock import FileLock
from cryotrail_producers.outbox_file.layout import bring_up_to_date

_log = logging.getLogger(__name__)


def users_lock(path: Path) -> FileLock:
    """Held shared by everyone who has the outbox open: whoever gets it alone is the only one."""
    return FileLock(path.with_name(f"{path.name}.users"))


def enter(connection: Connection, path: Path, users: FileLock) -> None:
    """Become one of the users, in a write transaction, so that nobody opens or closes meanwhile."""
    alone = users.try_exclusive()
    new = bring_up_to_date(connection, path, alone=alone)
    if alone:
        (mark,) = connection.execute("SELECT clean_mark FROM outbox").fetchone()
        if mark != _mark(path):
            mint_producer(connection)
            if not new:
                _log.warning("%s was not closed cleanly: new producer id", path)
        connection.execute("UPDATE outbox SET clean_mark = NULL")
        # Tells a damaged outbox from a file that never was one, and whose events it had.
        newest = "SELECT producer_id FROM producer ORDER BY producer_no DESC LIMIT 1"
        users.note(*connection.execute(newest).fetchone())
    users.share()


def leave(connection: Connection, path: Path, users: FileLock) -> None:
    """In the last write transaction before closing: the last user leaves the mark of a clean end."""
    if users.try_exclusive():
        connection.execute("UPDATE outbox SET clean_mark = ?", (_mark(path),))


def _mark(path: Path) -> str:
    # A copy put back in place of the file has another inode.
    found = path.stat()
    return f"{found.st_dev}:{found.st_ino}"
