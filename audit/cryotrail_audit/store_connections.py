"""Connections to one store for whoever asks it something: opened, checked, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine

from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.migration import check_revision


class StoreConnections:
    """One store at a database URL. Use it in ``with``, or close it.

    Every method of those that are made from it may raise :class:`StoreUnavailable` or
    :class:`StoreBusy`, both retriable.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Take an engine, and the database's name for messages."""
        self._engine, self._name = engine, name

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the store at a database URL.

        :raises StoreNotReady: nothing there, or a schema that this program does not know.
        """
        parsed = parse_url(url)
        opened = cls(engine_of(parsed), name_of(parsed))
        try:
            with opened._reading() as connection:
                check_revision(connection, opened._name)
        except BaseException:
            opened.close()
            raise
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_errors(self._name), self._engine.connect() as connection:
            yield connection
