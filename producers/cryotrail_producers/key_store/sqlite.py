"""The key store in one SQLite file, wrapped by a key that lies elsewhere.

**No write-ahead log.** A key deleted from a file in WAL mode stays readable in its ``-wal``, also
with ``secure_delete``, until every reader is gone and the log is cut. With a rollback journal the
commit that destroys a key is also what removes the last older page; ``secure_delete`` overwrites
the row with zeros, and VACUUM then writes the file anew, without what the B-tree left between rows.
What the disk itself keeps of removed blocks, and snapshots and backups of the file, are beyond it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from cryotrail_producers.errors import KekRefused, KeyStoreError
from cryotrail_schemas.errors import ScopeErased
from cryotrail_schemas.personal import (
    KEY_ID_LENGTH,
    KEY_LENGTH,
    NONCE_LENGTH,
    DataKey,
    ScopeState,
)

APPLICATION_ID: Final = 0x4B455953
"""``KEYS``: tells a key store from any other SQLite file."""
FILE_VERSION: Final = 1

_BUSY_TIMEOUT_S: Final = 30.0
_CHECK_AAD: Final = b"cryotrail-kek-check-v1"
_MOST_AT_ONCE: Final = 500


class SqliteKeyStore:
    """See :class:`~cryotrail_schemas.personal.KeyStore`, whose contract this keeps.

    All methods may be called from any thread; a process forked after opening opens its own.
    """

    def __init__(self, path: Path, kek: bytes, *, create: bool = True) -> None:
        """Open the file.

        :param kek: what :func:`~cryotrail_producers.key_store.kek.read_kek` returned.
        :param create: make it when it is missing.
        :raises KekRefused: its keys were wrapped with another key.
        :raises KeyStoreError: it cannot be opened, is no key store, or is not there.
        """
        self.path = path
        self._wrapping = AESGCMSIV(kek)
        self._lock = threading.Lock()
        with self._translated("open"):
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
                _make_private(path)
            elif not path.exists():
                raise KeyStoreError(path, "open", "it is not there", hint="is KEYS_PATH right?")
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def data_key(self, scope: str) -> DataKey:
        return self.data_keys([scope])[0]

    def data_keys(self, scopes: Sequence[str]) -> list[DataKey]:
        with self._translated("read"):
            found = self._found(scopes)
        if len(found) < len(set(scopes)):
            with self._translated("write"), self._transaction():
                found = self._found(scopes)
                for scope in scopes:
                    if scope not in found:
                        found[scope] = self._made(scope)
        return [found[scope] for scope in scopes]

    def key_of(self, key_id: bytes) -> bytes | None:
        with self._translated("read"):
            row = self._connection.execute(
                "SELECT scope, wrapped FROM data_key WHERE key_id = ?", (key_id,)
            ).fetchone()
            return None if row is None or row[1] is None else self._unwrapped(key_id, *row)

    def scopes(self, scope: str | None = None) -> list[ScopeState]:
        with self._translated("read"):
            rows = self._connection.execute(
                "SELECT scope, key_id, created_us, destroyed_us FROM data_key"
                " WHERE ?1 IS NULL OR scope = ?1 ORDER BY scope",
                (scope,),
            ).fetchall()
        return [ScopeState(*row) for row in rows]

    def destroy(self, scope: str) -> list[bytes]:
        now_us = time.time_ns() // 1000
        with self._translated("destroy a key in"):
            with self._transaction():
                self._connection.execute(
                    "INSERT INTO data_key (scope, key_id, destroyed_us) VALUES (?, ?, ?)"
                    " ON CONFLICT (scope) DO UPDATE SET wrapped = NULL,"
                    " destroyed_us = coalesce(destroyed_us, excluded.destroyed_us)",
                    (scope, os.urandom(KEY_ID_LENGTH), now_us),
                )
            # Also when nothing changed: an earlier call may have ended before it came to this.
            self._connection.execute("VACUUM")
            rows = self._connection.execute(
                "SELECT key_id FROM data_key WHERE scope = ? AND created_us IS NOT NULL", (scope,)
            ).fetchall()
        return [key_id for (key_id,) in rows]

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        execute = self._connection.execute
        # Not on the disk: what VACUUM sorts is keys.
        execute("PRAGMA temp_store = MEMORY")
        execute("PRAGMA journal_mode = DELETE")
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA secure_delete = ON")
        (application_id,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        if application_id == 0:
            self._lay_out()
        elif application_id != APPLICATION_ID:
            raise KeyStoreError(self.path, "open", "it is another SQLite file")
        elif version != FILE_VERSION:
            raise KeyStoreError(self.path, "open", f"its layout is version {version}")
        (tag,) = execute("SELECT check_tag FROM wrapping").fetchone()
        try:
            self._wrapping.decrypt(bytes(NONCE_LENGTH), tag, _CHECK_AAD)
        except InvalidTag:
            raise KekRefused(
                f"the keys in {self.path} were wrapped with another key than that of the file"
                " that PERSONAL_KEK_FILE names",
                hint="restore that key file from its backup; without it this personal text is"
                " lost for everybody",
            ) from None

    def _lay_out(self) -> None:
        with self._transaction() as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                (application_id,) = connection.execute("PRAGMA application_id").fetchone()
                if application_id == APPLICATION_ID:
                    return  # another process was first
                raise KeyStoreError(self.path, "open", "it is another SQLite file")
            for statement in _statements():
                connection.execute(statement)
            tag = self._wrapping.encrypt(bytes(NONCE_LENGTH), b"", _CHECK_AAD)
            connection.execute("INSERT INTO wrapping VALUES (1, ?)", (tag,))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FILE_VERSION}")

    def _found(self, scopes: Sequence[str]) -> dict[str, DataKey]:
        found: dict[str, DataKey] = {}
        for first in range(0, len(scopes), _MOST_AT_ONCE):
            part = scopes[first : first + _MOST_AT_ONCE]
            marks = ", ".join("?" * len(part))
            for scope, key_id, wrapped in self._connection.execute(
                f"SELECT scope, key_id, wrapped FROM data_key WHERE scope IN ({marks})", part
            ):
                if wrapped is None:
                    raise ScopeErased(scope, key_id)
                found[scope] = DataKey(key_id, self._unwrapped(key_id, scope, wrapped))
        return found

    def _made(self, scope: str) -> DataKey:
        made = DataKey(os.urandom(KEY_ID_LENGTH), os.urandom(KEY_LENGTH))
        nonce = os.urandom(NONCE_LENGTH)
        wrapped = nonce + self._wrapping.encrypt(nonce, made.key, _bound(made.key_id, scope))
        self._connection.execute(
            "INSERT INTO data_key (scope, key_id, wrapped, created_us) VALUES (?, ?, ?, ?)",
            (scope, made.key_id, wrapped, time.time_ns() // 1000),
        )
        return made

    def _unwrapped(self, key_id: bytes, scope: str, wrapped: bytes) -> bytes:
        try:
            return self._wrapping.decrypt(
                wrapped[:NONCE_LENGTH], wrapped[NONCE_LENGTH:], _bound(key_id, scope)
            )
        except InvalidTag:
            raise KeyStoreError(
                self.path, "read", f"the key of {scope} was changed", hint="restore the file"
            ) from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                raise KeyStoreError(
                    self.path,
                    operation,
                    str(error),
                    hint="is the folder there, on a local disk, and writable for this user?",
                    retriable=code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL),
                ) from error


def _bound(key_id: bytes, scope: str) -> bytes:
    """A wrapped key is bound to its row: two that were exchanged do not open."""
    return key_id + scope.encode()


def _make_private(path: Path) -> None:
    # Never opened when it exists: closing it would drop SQLite's locks of this process on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _statements() -> Iterator[str]:
    # One by one: `executescript` would commit the transaction that they belong to.
    statement = ""
    text = files("cryotrail_producers.key_store").joinpath("keys.sql").read_text(encoding="utf-8")
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
