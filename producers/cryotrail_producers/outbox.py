"""The durable outbox of one producer: a SQLite file that any process may append to.

An event is accepted when :meth:`Outbox.append` returns. Its delivery numbers are given in the
same transaction, so they are gapless whoever appends and whatever is killed. Draining the file is
the business of :mod:`cryotrail_producers.outbox_drain`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self
from uuid import UUID

from cryotrail_producers import sealed_procedures
from cryotrail_producers.delivery_numbers import OutboxEntry, mint_producer, number_and_insert
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.file_lock import FileLock
from cryotrail_producers.group_commit import GroupCommit
from cryotrail_producers.outbox_file import (
    Synchronous,
    bring_up_to_date,
    connect,
    transaction,
    translated,
)
from cryotrail_producers.outbox_status import OutboxStatus, read_status
from cryotrail_producers.sealed_procedures import Contents
from cryotrail_schemas.signing import Signer

_log = logging.getLogger(__name__)

_LAST_ID = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)"


class Outbox:
    """An open outbox. :meth:`close`, or the end of ``with``, marks it as cleanly closed.

    With ``synchronous="FULL"`` an accepted event survives a power cut. With ``"NORMAL"`` it
    survives the death of the process, and a power cut once :meth:`sync` has returned.

    All methods may be called from any thread, but not in a process forked after opening.
    """

    def __init__(
        self, path: Path, synchronous: Synchronous = "FULL", signer: Signer | None = None
    ) -> None:
        """Open the file, making it and its folder when missing; a file of an older layout is
        brought up to date.

        A new file, and one that its last user did not close cleanly, gets a new producer id.

        :raises OutboxError: it cannot be opened, is no outbox, or is one of another version that
            is in use.
        """
        self.path = path
        self.synchronous = synchronous
        self._signer = signer
        self._process = os.getpid()
        self._group = GroupCommit(self._commit)
        self._service_lock = threading.Lock()
        with translated(path, "open"), ExitStack() as undo:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._appending = connect(path, synchronous)
            undo.callback(self._appending.close)
            # Held shared by everyone who has the outbox open: whoever gets it alone is the only one.
            self._users = FileLock(path.with_name(f"{path.name}.users"))
            undo.callback(self._users.close)
            self._enter()
            self._service = connect(path, "FULL")
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, entries: Sequence[OutboxEntry]) -> range:
        """Accept events in this order, all or none; returns their ids, which rise.

        Concurrent calls share one commit. ``producer_seq`` and ``procedure_seq`` are given here.

        :raises OutboxError: nothing of this call was accepted.
        """
        self._refuse_after_fork()
        if not entries:
            return range(0)
        ids = self._group.submit(entries)
        return range(ids[0], ids[-1] + 1)

    def sync(self) -> None:
        """Make everything accepted so far survive a power cut.

        With ``"FULL"`` it does already. Else one small transaction is committed and synced: the
        write-ahead log is one file, so what lies before it reaches the disk with it.

        :raises OutboxError: the file cannot be written.
        """
        if self.synchronous == "FULL":
            return
        with self._service_lock, translated(self.path, "sync"):
            behind = f"SELECT synced_id < {_LAST_ID} FROM outbox"
            if self._service.execute(behind).fetchone()[0]:
                with transaction(self._service):
                    self._service.execute(f"UPDATE outbox SET synced_id = {_LAST_ID}")

    def count_refused(self, count: int) -> None:
        """Add events that were refused before they got here.

        :raises OutboxError: the file cannot be written.
        """
        with self._writing() as connection:
            connection.execute("UPDATE outbox SET refused = refused + ?", (count,))

    def status(self) -> OutboxStatus:
        """What it holds, whoever put it there.

        :raises OutboxError: the file cannot be read.
        """
        with self._service_lock, translated(self.path, "read"):
            return read_status(self._service)

    def unacknowledged(self, ids: range) -> int:
        """How many events with these ids wait for Kafka.

        :raises OutboxError: the file cannot be read.
        """
        with self._service_lock, translated(self.path, "read"):
            (count,) = self._service.execute(
                "SELECT count(*) FROM event INDEXED BY event_waiting"
                " WHERE acknowledged_us IS NULL AND id BETWEEN ? AND ?",
                (ids.start, ids.stop - 1),
            ).fetchone()
        return int(count)

    def seal_of(self, procedure_id: UUID) -> UUID | None:
        """The seal of a procedure that this file has; None while there is none.

        :raises OutboxError: the file cannot be read.
        """
        with self._service_lock, translated(self.path, "read"):
            return sealed_procedures.seal_of(self._service, procedure_id)

    def close_procedure(self, procedure_id: UUID) -> Contents:
        """What was numbered here for a procedure so far, synced; what comes later is numbered
        under a producer id that is not among these, and signed.

        :raises OutboxError: the file cannot be written.
        """
        with self._writing() as connection:
            contents = sealed_procedures.contents_of(connection, procedure_id)
            sealed_procedures.close_procedure(connection, procedure_id, None)
        return contents

    def seal(
        self, procedure_id: UUID, make_seal: Callable[[Contents], OutboxEntry]
    ) -> tuple[UUID, range]:
        """Accept the seal of a procedure, made from what was numbered here, in one transaction.

        Returns its event id, and the ids as :meth:`append` does; of a procedure that has a seal
        already, that seal's and none.

        :raises OutboxError: the file cannot be written; it was not accepted.
        """
        with self._writing() as connection:
            known = sealed_procedures.seal_of(connection, procedure_id)
            if known is not None:
                return known, range(0)
            entry = make_seal(sealed_procedures.contents_of(connection, procedure_id))
            (id_,) = number_and_insert(connection, [entry], self._signer)
            sealed_procedures.close_procedure(connection, procedure_id, entry.event_id)
        return entry.event_id, range(id_, id_ + 1)

    def settle_seal(self, procedure_id: UUID, seal_id: UUID) -> None:
        """Note that a procedure was sealed in the other file of a pair.

        :raises OutboxError: the file cannot be written.
        """
        with self._writing() as connection:
            sealed_procedures.settle(connection, procedure_id, seal_id)

    def close(self) -> None:
        """Sync and close. The last user of the file leaves the mark of a clean end.

        :raises OutboxError: the mark cannot be written; the next user numbers under a new id.
        """
        with self._service_lock, translated(self.path, "close"), ExitStack() as last:
            last.callback(self._users.close)
            last.callback(self._service.close)
            self._appending.close()
            with transaction(self._service):
                self._service.execute(f"UPDATE outbox SET synced_id = {_LAST_ID}")
                if self._users.try_exclusive():
                    self._service.execute("UPDATE outbox SET clean_mark = ?", (self._mark(),))

    def _refuse_after_fork(self) -> None:
        # SQLite's connections and locks belong to the process that opened them.
        if os.getpid() != self._process:
            raise OutboxError(
                self.path,
                "write",
                "it was opened before a fork",
                hint="make a publisher in each process, after the fork",
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._refuse_after_fork()
        # Synced whatever `synchronous` says, and with it all that was accepted before.
        with (
            self._service_lock,
            translated(self.path, "write"),
            transaction(self._service) as connection,
        ):
            yield connection

    def _enter(self) -> None:
        # Who is first is decided inside a write transaction, so that nobody opens or closes
        # meanwhile.
        with transaction(self._appending) as connection:
            alone = self._users.try_exclusive()
            new = bring_up_to_date(connection, self.path, alone=alone)
            if alone:
                (mark,) = connection.execute("SELECT clean_mark FROM outbox").fetchone()
                if mark != self._mark():
                    mint_producer(connection)
                    if not new:
                        _log.warning("%s was not closed cleanly: new producer id", self.path)
                connection.execute("UPDATE outbox SET clean_mark = NULL")
            self._users.share()

    def _mark(self) -> str:
        # A copy put back in place of the file has another inode, and may lack numbers that the
        # original gave.
        found = self.path.stat()
        return f"{found.st_dev}:{found.st_ino}"

    def _commit(self, entries: list[OutboxEntry]) -> list[int]:
        with translated(self.path, "write"), transaction(self._appending) as connection:
            return number_and_insert(connection, entries, self._signer)
