"""A connection to the outbox file that stands at a path now, also after another took its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryotrail_producers.errors import OutboxDamaged, OutboxError, OutboxReplaced
from cryotrail_producers.outbox_file.layout import Synchronous, connect, transaction, translated
from cryotrail_producers.outbox_file.place_lock import PlaceLock
from cryotrail_producers.salvage.set_aside import (
    alone_with,
    file_id,
    is_being_replaced,
    replace_if_damaged,
)


def _may_be_damage(error: OutboxError) -> bool:
    # A table or column that is missing, though the file was laid out when it was opened.
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return isinstance(error, OutboxDamaged) or code == sqlite3.SQLITE_ERROR


class OutboxConnection:
    """One connection, used by one thread at a time. A damaged file that it comes upon is replaced.

    While it is in use within :meth:`reading` or :meth:`writing`, nobody replaces the file.
    """

    def __init__(
        self, path: Path, synchronous: Synchronous, *, follow: bool = True, alone: bool = False
    ) -> None:
        """Open the file, making it when missing.

        :param follow: go on with another file that was put in its place; else
            :class:`OutboxReplaced` is raised for as long as this connection is used.
        :param alone: the caller is :func:`~cryotrail_producers.salvage.set_aside.alone_with` it.
        :raises sqlite3.Error, OSError, OutboxError: it cannot be opened.
        """
        self._path = path
        self._synchronous = synchronous
        self._follow = follow
        self._place = PlaceLock(path)
        try:
            if not alone:
                self._place.share()
                self._finish_replacing()
            self._open()
        except BaseException:
            self._place.close()
            raise
        self._place.release()

    def within_opening(self) -> sqlite3.Connection:
        """The connection itself, for who is alone with the file because it is just being opened."""
        return self._connection

    @contextmanager
    def reading(self, operation: str = "read") -> Iterator[sqlite3.Connection]:
        """The connection, to read with; errors become :class:`OutboxError`.

        :raises OutboxReplaced: the file proved damaged and another stands in its place, or
            somebody else found that and this connection does not follow: begin anew.
        """
        try:
            with translated(self._path, operation):
                self._place.share()
                try:
                    self._go_with_the_file(operation)
                    yield self._connection
                finally:
                    self._place.release()
        except OutboxError as error:
            if not _may_be_damage(error) or not replace_if_damaged(self._path, self._file_id):
                raise
            raise OutboxReplaced(self._path, operation, "it was damaged and replaced") from error

    @contextmanager
    def writing(self, operation: str = "write") -> Iterator[sqlite3.Connection]:
        """One write transaction; errors become :class:`OutboxError`.

        :raises OutboxReplaced: as :meth:`reading` does; nothing was written.
        """
        with self.reading(operation) as connection, transaction(connection):
            yield connection

    def close(self) -> None:
        """Close it. SQLite leaves the companions of a file that was moved away alone."""
        self._connection.close()
        self._place.close()

    def _go_with_the_file(self, operation: str) -> None:
        if file_id(self._path) == self._file_id:
            return
        self._finish_replacing()
        if file_id(self._path) is None:
            raise OutboxDamaged(self._path, operation, "somebody deleted it")
        if not self._follow:
            raise OutboxReplaced(self._path, operation, "another file stands in its place")
        self._connection.close()
        self._open()

    def _finish_replacing(self) -> None:
        # Whoever began may have been killed, or his disk was full. A file made here now would be
        # taken for the one that he was to make.
        while is_being_replaced(self._path):
            self._place.release()
            with alone_with(self._path):
                pass
            self._place.share()

    def _open(self) -> None:
        self._connection = connect(self._path, self._synchronous)
        found = file_id(self._path)
        assert found is not None
        self._file_id = found
