"""The SQLite file of an outbox: how it is opened, created, and written in transactions."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Literal

from cryotrail_producers.errors import OutboxDamaged, OutboxError

APPLICATION_ID = 0x4F555442
"""``OUTB``: tells an outbox from any other SQLite file."""

LAYOUTS = ("outbox.sql", "outbox_2.sql", "outbox_3.sql")
"""What makes each layout out of the one before it, the first out of an empty file."""

FILE_VERSION = len(LAYOUTS)
"""The layout, in ``PRAGMA user_version``."""

_BUSY_TIMEOUT_S = 30.0
_LOG_KEPT_BYTES = 8 * 2**20
_TRY_AGAIN_S = 0.0005

Synchronous = Literal["FULL", "NORMAL"]
"""FULL: a commit that returned survives a power cut. NORMAL: it survives the process."""


def connect(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """Open a connection to the file, which is made when it is missing; it is then still empty.

    A file that is something else is refused and not touched. Transactions are begun by hand
    (:func:`transaction`), because the driver's own would begin deferred and could fail half-way
    when another process writes first. The connection may be used by any thread, one at a time.
    """
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        _layout(connection, path)
        _hide_if_new(path)
        # Takes effect in a new file alone, and only before anything else is written.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _until_free(connection, "PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        # The log cannot begin anew while somebody reads an old state; once he is gone it shrinks.
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def read_only(path: Path) -> sqlite3.Connection:
    """Open an existing file for reading alone; nothing is created or marked."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: committed when the block ends, rolled back when it raises.

    Writers of all processes take turns; one waits for its turn for up to 30 s.
    """
    _until_free(connection, "BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path, operation: str) -> Iterator[None]:
    """Turn what the driver and the operating system raise into :class:`OutboxError`."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        if is_damage(error):
            raise OutboxDamaged(path, operation, str(error)) from error
        raise OutboxError(path, operation, str(error), hint=_hint(error)) from error


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file is damaged. A disk that is full or cannot be read or
    written, a lock and a missing right say nothing of the kind."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # What should be text is none: the driver says so, or fails to say what SQLite said.
        return isinstance(error, UnicodeDecodeError) or type(error) is sqlite3.OperationalError
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def log_path(path: Path) -> Path:
    """SQLite's write-ahead log beside a file."""
    return path.with_name(f"{path.name}-wal")


def bring_up_to_date(connection: sqlite3.Connection, path: Path, *, alone: bool) -> bool:
    """Lay out a new file, or add to an older one what it lacks; True when it was new.

    Runs inside the caller's transaction. Events of an older layout stay as they are.

    :param alone: nobody else has the file open. Somebody who has a file of an older layout open is
        an older program, which would go on to number events under what is sealed here.
    :raises OutboxError: it has a layout that is not ours, or an older one and is in use.
    """
    found = _layout(connection, path)
    if 0 < found < FILE_VERSION and not alone:
        raise OutboxError(
            path,
            "open",
            "an earlier version of cryotrail has it open",
            hint="end that process, then start this one: what it accepted stays",
        )
    for script in LAYOUTS[found:]:
        lay_out(connection, script)
    if found < FILE_VERSION:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FILE_VERSION}")
    return found == 0


def lay_out(connection: sqlite3.Connection, script: str) -> None:
    """Run one of the :data:`LAYOUTS`, in the caller's transaction if there is one."""
    for statement in _statements(script):
        connection.execute(statement)


def _layout(connection: sqlite3.Connection, path: Path) -> int:
    """Which layout the file has; 0 = none yet.

    :raises OutboxError: it has one that is not ours, or a later one than this code knows.
    """
    # One statement, hence one moment: another process may be laying out the same new file.
    application_id, version, objects = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application_id == 0 and objects == 0:
        return 0
    if application_id != APPLICATION_ID:
        raise OutboxError(path, "open", "it is another SQLite file", hint="name another path")
    if not 0 < version <= FILE_VERSION:
        raise OutboxError(
            path,
            "open",
            f"its layout is version {version}, this cryotrail knows {FILE_VERSION}",
            hint="drain it with the version of cryotrail that wrote it",
        )
    return int(version)


def _hide_if_new(path: Path) -> None:
    # Pseudonymous, yet medical: not for everybody to read. SQLite gives -wal and -shm the same
    # mode. The file is never opened by us: closing it would drop the locks that SQLite holds on it
    # for other connections of this process (POSIX advisory locks belong to the process).
    found = path.stat()
    if found.st_size == 0:
        path.chmod(stat.S_IMODE(found.st_mode) & ~stat.S_IRWXO)


def _until_free(connection: sqlite3.Connection, statement: str) -> None:
    # SQLite's own way of waiting sleeps up to 100 ms between tries, and not at all while the
    # journal of a new file is changed. A commit takes a millisecond or a few, so tries are close.
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute(statement)
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_TRY_AGAIN_S)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000:.0f}")


def _statements(script: str) -> Iterator[str]:
    # One by one: `executescript` would commit the transaction that they belong to.
    statement = ""
    text = files("cryotrail_producers.outbox_file").joinpath(script).read_text(encoding="utf-8")
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _hint(error: Exception) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return "free some disk space; nothing that was accepted is lost"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another process has been writing to it for over {_BUSY_TIMEOUT_S:g} s"
    if isinstance(error, OSError | sqlite3.OperationalError):
        return "is the folder there, on a local disk, and writable for this user?"
    return None
