"""A backup of a store as an operator takes one, and its restore over what was written since."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url


@contextmanager
def backup(url: str) -> Iterator[Backup]:
    """Back a store up that nobody has open; the copy is gone at the end."""
    taken = Backup(make_url(url))
    taken.copy(taken.name, taken.copied)
    try:
        yield taken
    finally:
        taken.drop(taken.copied)


class Backup:
    """One copy of one store: a file beside it, or a database on its server."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._is_file = url.get_backend_name() == "sqlite"
        self.name = str(url.database)
        self.copied = f"{self.name}.backup" if self._is_file else f"{self.name}_backup"

    def restore(self) -> None:
        """Put the copy in the place of the store."""
        self.drop(self.name)
        self.copy(self.copied, self.name)

    def copy(self, name: str, target: str) -> None:
        """Copy a store that nobody has open."""
        if self._is_file:
            with closing(sqlite3.connect(name)) as source, closing(sqlite3.connect(target)) as to:
                source.backup(to)
            return
        statement = "create database {} template {} strategy file_copy"
        self._execute(statement, target, name)

    def drop(self, name: str) -> None:
        """Remove a store."""
        if self._is_file:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{name}{suffix}").unlink(missing_ok=True)
            return
        self._execute("drop database if exists {} with (force)", name)

    def _execute(self, statement: Any, *names: str) -> None:
        with psycopg.connect(
            host=self._url.host, port=self._url.port, user=self._url.username, dbname="postgres",
            autocommit=True,
        ) as connection:  # fmt: skip
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
