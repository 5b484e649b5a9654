"""Connections to the two databases, set up so that a commit is a commit."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from cryotrail_audit.database_errors import INIT_HINT
from cryotrail_audit.errors import AuditError, StoreNotReady, StoreUnsafe
from cryotrail_audit.roles.sqlite_authorizer import allow_only_appending
from cryotrail_audit.tables import SCHEMA
from cryotrail_audit.waits import CONNECT_WAIT_S, LOCK_WAIT_S

APPEND_LOCK: Final = 7236825374316
"""Key of PostgreSQL's advisory lock; one a database, since the unique keys span its logs."""

IMMEDIATE: Final = {"sqlite_begin": "begin immediate"}
"""Execution options of a transaction that will write: on SQLite it takes the lock at once."""

# Pages of 8 KiB: a WAL of 4000 pages is copied into the file every 32 MiB, not at every batch.
_WAL_PAGES: Final = 4000

# A batch of 5000 rows changes 8 MiB: pages that do not fit go to the disk and come back.
_CACHE_KIB: Final = 16 * 1024


def parse_url(url: str) -> URL:
    """Read and check a store's URL; ``postgresql://`` stands for ``postgresql+psycopg://``.

    :raises AuditError: neither an SQLite file nor a PostgreSQL database.
    """
    hint = "use sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise AuditError("the audit store's URL cannot be read", hint=hint) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise AuditError(f"no audit store on {parsed.drivername}", hint=hint)
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise AuditError("an audit store on SQLite needs a file", hint=hint)
    return parsed


def name_of(url: URL) -> str:
    """The database for messages: the file, or the address without the password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def engine_of(url: URL, *, changes_tables: bool = False) -> Engine:
    """An engine on an existing database; connects when first used.

    :param changes_tables: for migrations alone: on SQLite every other connection of ours may
        only read and append.
    :raises StoreNotReady: there is no such SQLite file.
    """
    if url.get_backend_name() == "sqlite":
        if not Path(str(url.database)).is_file():
            raise StoreNotReady(f"there is no audit store at {url.database}", hint=INIT_HINT)
        return _sqlite_engine(url, changes_tables)
    return _postgresql_engine(url)


def _sqlite_engine(url: URL, changes_tables: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": LOCK_WAIT_S},
        execution_options={"schema_translate_map": {SCHEMA: None}},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # Transactions begin where we say so, and not where sqlite3 guesses that they should.
        connection.isolation_level = None
        connection.execute("pragma page_size = 8192")  # heeded by a new file only
        connection.execute("pragma journal_mode = wal")
        # In WAL mode NORMAL may lose commits at a power cut; FULL waits for the disk. On macOS
        # the disk really writes with fullfsync only.
        connection.execute("pragma synchronous = full")
        connection.execute("pragma fullfsync = on")
        connection.execute(f"pragma wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
        if not changes_tables:
            allow_only_appending(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "begin"))

    return engine


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        # Under REPEATABLE READ the look-ups after the lock would miss what the other writer
        # committed while this one waited for it.
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": CONNECT_WAIT_S, "application_name": "cryotrail audit"},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        row = connection.execute(
            "select set_config('lock_timeout', %s, false), current_setting('server_encoding')",
            [f"{LOCK_WAIT_S}s"],
        ).fetchone()
        connection.commit()
        encoding = row[1]
        if encoding != "UTF8":
            raise StoreUnsafe(
                f"the database's encoding is {encoding}, text would not be stored as it came",
                hint="create the database with encoding UTF8",
            )

    return engine
