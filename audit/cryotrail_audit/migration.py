"""Creates and upgrades the tables of an audit store."""

from __future__ import annotations

import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

from sqlalchemy import Connection, insert, literal, select, text

from cryotrail_audit.appending.lock import take_append_lock
from cryotrail_audit.checkpoints.errors import NoteRefused
from cryotrail_audit.checkpoints.head import check_log_name
from cryotrail_audit.database_errors import INIT_HINT, database_errors
from cryotrail_audit.databases import IMMEDIATE, engine_of, name_of, parse_url
from cryotrail_audit.errors import AuditError, StoreNotReady
from cryotrail_audit.evidence import TABLES_OF_A_LOG
from cryotrail_audit.roles.upgrade import upgrading
from cryotrail_audit.tables import LOG, METADATA, SCHEMA

HEAD_REVISION: Final = "0002"
"""The revision that this program reads and writes."""

_EARLIER_REVISIONS: Final = (None, "0001")
"""What this program can upgrade; None = nothing there yet."""

FIRST_LOG_ID: Final = 1


def migrate(url: str, *, origin: str | None = None) -> str:
    """Create the store at a URL, or upgrade it; idempotent. Returns the log's origin.

    On SQLite the file and its folder are made; on PostgreSQL the database must exist. A store
    that has its roles keeps them and its guards; only a superuser upgrades it.

    :param origin: the log's name for all time, such as ``hospital.example/cryoablation``; a
        made-up one when left out. A store that has a name keeps it.
    :raises StoreNotReady: the store is of a revision that this program does not know.
    :raises AuditError: an older store has its roles, and the user is no superuser; or a new one
        is given a name that nothing can be signed under.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(str(parsed.database))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    engine = engine_of(parsed, changes_tables=True)
    try:
        with database_errors(name_of(parsed)):
            writing = engine.execution_options(**IMMEDIATE)
            with writing.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # Two migrations at once would race for the same tables.
                    take_append_lock(cast(Any, connection.connection.driver_connection))
                revision = revision_of(connection)
                if revision in _EARLIER_REVISIONS:
                    with upgrading(connection):
                        _upgrade(connection)
                elif revision != HEAD_REVISION:
                    raise _unknown_revision(name_of(parsed), revision)
                return _named(connection, origin)
    finally:
        engine.dispose()


def check_revision(connection: Connection, where: str) -> None:
    """Refuse a store that this program does not know.

    :raises StoreNotReady: no store, an older or a newer revision.
    """
    revision = revision_of(connection)
    if revision is None:
        raise StoreNotReady(f"there is no audit store in {where}", hint=INIT_HINT)
    if revision in _EARLIER_REVISIONS:
        raise StoreNotReady(
            f"{where} is at revision {revision}, this program needs {HEAD_REVISION}",
            hint=INIT_HINT,
        )
    if revision != HEAD_REVISION:
        raise _unknown_revision(where, revision)


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None = there are none."""
    if connection.dialect.name == "postgresql":
        exists = "select to_regclass('audit.alembic_version') is not null"
        table = f"{SCHEMA}.alembic_version"
    else:
        exists = "select exists (select 1 from sqlite_master where name = 'alembic_version')"
        table = "alembic_version"
    if not connection.execute(text(exists)).scalar():
        return None
    revision: str | None = connection.execute(text(f"select version_num from {table}")).scalar()
    return revision


def _unknown_revision(where: str, revision: str | None) -> StoreNotReady:
    return StoreNotReady(
        f"{where} is at revision {revision}, this program knows {HEAD_REVISION}",
        hint="use the version of cryotrail that the store was upgraded with",
    )


def _upgrade(connection: Connection) -> None:
    # Imported here: a third of a second that every command opening a store would otherwise pay.
    from alembic import command
    from alembic.config import Config

    with as_file(files("cryotrail_audit.migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _named(connection: Connection, origin: str | None) -> str:
    """The name of the newest log; the first one is opened here."""
    newest = select(LOG.c.origin).order_by(LOG.c.log_id.desc()).limit(1)
    found: str | None = connection.execute(newest).scalar()
    if found is not None:
        return found
    if (table := _table_with_rows(connection)) is not None:
        raise AuditError(
            f"the store has no log any more, while {table} has rows of one: its row was removed,"
            " and no other is opened in its place",
            hint="keep the store as it is, and look: cryotrail audit verify",
        )
    name = origin or f"cryotrail/{uuid4()}"
    try:
        check_log_name(name)
    except NoteRefused as error:
        raise AuditError(
            f"a log of this name could never be signed: {error}",
            hint="name it for all time, like hospital.example/cryoablation",
        ) from error
    connection.execute(
        insert(LOG).values(
            log_id=FIRST_LOG_ID, origin=name, continues=None, created_us=time.time_ns() // 1000
        )
    )
    return name


def _table_with_rows(connection: Connection) -> str | None:
    """A table that belongs to a log and is not empty, if there is one."""
    for name in TABLES_OF_A_LOG:
        table = METADATA.tables[f"{SCHEMA}.{name}"]
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None:
            return name
    return None
