"""The one place where errors of the two drivers become errors of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from cryotrail_audit.errors import (
    AuditError,
    BatchRefused,
    StoreBusy,
    StoreDamaged,
    StoreNotReady,
    StoreUnavailable,
)

INIT_HINT = "create or upgrade it: cryotrail audit init"
"""The remedy for a store that is missing or of an older revision."""


@contextmanager
def database_errors(where: str) -> Iterator[None]:
    """Translate what SQLAlchemy, sqlite3 and psycopg raise inside the block.

    :param where: the database, without its password, for the message.
    """
    try:
        yield
    except DBAPIError as error:
        raise _translated(error.orig, where) from error
    except (sqlite3.Error, psycopg.Error) as error:
        raise _translated(error, where) from error
    except UnicodeDecodeError as error:
        # sqlite3 raises it in place of an error whose message quotes a damaged page.
        raise _damaged(where, str(error)) from error


def _translated(error: BaseException | None, where: str) -> AuditError:
    said = " ".join(str(error).split())
    if isinstance(error, AuditError):
        return error
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, where, said)
    return _of_postgresql(error, where, said)


def _of_sqlite(error: sqlite3.Error, where: str, said: str) -> AuditError:
    # The low byte is the primary result code: https://sqlite.org/rescode.html
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(
                f"another process is writing to {where} ({said})",
                hint="try again; one writer at a time is enough",
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY:
            return StoreUnavailable(
                f"cannot write to {where}: {said}",
                hint="check the free space and the permissions of the file and its folder",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StoreUnavailable(
                f"cannot open {where}: {said}", hint="check that the folder exists and is writable"
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(where, said)
        case sqlite3.SQLITE_AUTH:
            return AuditError(
                f"{where} is append-only: this program reads and appends, no more ({said})"
            )
        case sqlite3.SQLITE_CONSTRAINT:
            return BatchRefused(f"{where} refused the rows: {said}")
    if "unsupported file format" in said:  # a damaged header, without a code of its own
        return _damaged(where, said)
    if "no such table" in said:
        return StoreNotReady(f"{where} is no audit store: {said}", hint=INIT_HINT)
    return AuditError(f"{where}: {said}")


def _of_postgresql(error: BaseException | None, where: str, said: str) -> AuditError:
    match error:
        case psycopg.errors.LockNotAvailable() | psycopg.errors.DeadlockDetected():
            return StoreBusy(
                f"another session holds the append lock of {where} ({said})",
                hint="look for it in pg_stat_activity (application_name 'cryotrail audit')",
            )
        case psycopg.errors.DataCorrupted() | psycopg.errors.IndexCorrupted():
            return _damaged(where, said)
        case psycopg.errors.UndefinedTable() | psycopg.errors.InvalidSchemaName():
            return StoreNotReady(f"{where} is no audit store: {said}", hint=INIT_HINT)
        case psycopg.errors.InsufficientPrivilege():
            return AuditError(
                f"{where} denies it: {said}",
                hint=_role_hint(said),
            )
        case psycopg.errors.FeatureNotSupported() if "row-level security" in said:
            return AuditError(
                f"{where} denies it: {said}",
                hint="membership is not enough: let the user become the writer when it connects:"
                " alter role USER set role = 'cryotrail_audit_writer'",
            )
        case psycopg.IntegrityError() | psycopg.DataError():
            return BatchRefused(f"{where} refused the rows: {_without_values(error)}")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return StoreUnavailable(
                f"{where} does not answer: {said}",
                hint="check the address and that the server runs and has space",
            )
    return AuditError(f"{where}: {said}")


def _without_values(error: psycopg.Error) -> str:
    """What was wrong with rows, and in which column; PostgreSQL's own words quote their values."""
    diagnosis = error.diag
    said = [type(error).__name__, diagnosis.table_name, diagnosis.column_name]
    return " ".join(part for part in (*said, diagnosis.constraint_name) if part)


def _role_hint(said: str) -> str:
    """The role that may do what PostgreSQL refused to do with a table."""
    if "table checkpoint" in said or "table procedure_head" in said:
        return (
            "only the signer appends signed notes: connect as a user that becomes its role, such as"
            " cryotrail_audit_signer; a reader and the writer may read them"
        )
    if "table log" in said:
        return "a log is opened by a superuser alone; every role of the store may read it"
    return "the writer needs INSERT and SELECT, a reader SELECT, on schema audit"


def _damaged(where: str, said: str) -> StoreDamaged:
    return StoreDamaged(
        f"{where} is damaged: {said}",
        hint="keep its files as they are, then restore a backup and record again from Kafka",
    )
