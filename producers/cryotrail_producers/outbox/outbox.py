"""The durable outbox of one producer: a SQLite file that any process may append to.

An event is accepted when :meth:`Outbox.append` returns. Its delivery numbers are given in the
same transaction, so they are gapless whoever appends and whatever is killed. Draining the file is
the business of :mod:`cryotrail_producers.outbox.drain`.
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

from cryotrail_producers.errors import OutboxError, OutboxFull, OutboxReplaced
from cryotrail_producers.outbox.admission import Admission, Oldest, accept_calls
from cryotrail_producers.outbox.connection import OutboxConnection
from cryotrail_producers.outbox.group_commit import GroupCommit
from cryotrail_producers.outbox.status import OutboxStatus, read_status
from cryotrail_producers.outbox_file import sealed_procedures
from cryotrail_producers.outbox_file.budget import UNBOUNDED, Budget
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry, number_and_insert
from cryotrail_producers.outbox_file.layout import (
    Synchronous,
    transaction,
    translated,
)
from cryotrail_producers.outbox_file.sealed_procedures import Contents
from cryotrail_producers.outbox_file.users import enter, leave, users_lock
from cryotrail_producers.salvage.set_aside import alone_with, make_sound
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
        self,
        path: Path,
        synchronous: Synchronous = "FULL",
        signer: Signer | None = None,
        budget: Budget = UNBOUNDED,
    ) -> None:
        """Open the file, making it and its folder when missing; a file of an older layout is
        brought up to date.

        A new file, and one that its last user did not close cleanly, gets a new producer id.

        :raises OutboxError: it cannot be opened, is no outbox, or is one of another version that
            is in use.
        """
        self.path = path
        self.synchronous = synchronous
        self.budget = budget
        self._oldest = Oldest()
        self._signer = signer
        self._process = os.getpid()
        self._group = GroupCommit(self._commit)
        self._service_lock = threading.Lock()
        with translated(path, "open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with alone_with(path), ExitStack() as undo:
                self._users = users_lock(path)
                undo.callback(self._users.close)
                make_sound(path, self._users)
                self._appending = OutboxConnection(path, synchronous, alone=True)
                undo.callback(self._appending.close)
                with transaction(self._appending.within_opening()) as connection:
                    enter(connection, path, self._users)
                self._service = OutboxConnection(path, "FULL", alone=True)
                undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, entries: Sequence[OutboxEntry]) -> list[int | None]:
        """Accept events in this order, all or none; returns their ids, which rise.

        Concurrent calls share one commit. ``producer_seq`` and ``procedure_seq`` are given here.
        None stands for an entry that was shed: it may be, and there was no room for it.

        :raises OutboxFull: there is no room for one that may not be shed; nothing was accepted.
        :raises OutboxError: nothing of this call was accepted.
        """
        self._refuse_after_fork()
        if not entries:
            return []
        try:
            try:
                (outcome,) = self._group.submit([entries])
            except OutboxReplaced:
                (outcome,) = self._group.submit([entries])  # into the file that took its place
        except OutboxError as error:
            raise error.of_one_call() from error.__cause__
        if isinstance(outcome, OutboxFull):
            raise outcome
        return outcome

    def has_room(self, entries: Sequence[OutboxEntry]) -> bool:
        """Whether :meth:`append` would not refuse them, as things are now.

        :raises OutboxError: the file cannot be read.
        """
        with self.reading() as connection:
            admission = Admission(connection, self.path, self.budget, self._oldest)
        try:
            admission.admit(entries)
        except OutboxFull:
            return False
        return True

    def is_shedding(self) -> bool:
        """Whether what may be shed is, until less waits; notes when that has come to an end.

        :raises OutboxError: the file cannot be written.
        """
        with self.reading() as connection:
            (shedding,) = connection.execute("SELECT shedding FROM outbox").fetchone()
        if not shedding:
            return False
        with self.writing() as connection:
            admission = Admission(connection, self.path, self.budget, self._oldest)
            admission.settle()
        return admission.shedding

    def sync(self) -> None:
        """Make everything accepted so far survive a power cut.

        With ``"FULL"`` it does already. Else one small transaction is committed and synced: the
        write-ahead log is one file, so what lies before it reaches the disk with it.

        :raises OutboxError: the file cannot be written.
        """
        if self.synchronous == "FULL":
            return
        with self._service_lock, self._service.reading("sync") as connection:
            behind = f"SELECT synced_id < {_LAST_ID} FROM outbox"
            if connection.execute(behind).fetchone()[0]:
                with transaction(connection):
                    connection.execute(f"UPDATE outbox SET synced_id = {_LAST_ID}")

    def count_refused(self, count: int) -> None:
        """Add events that were refused before they got here.

        :raises OutboxError: the file cannot be written.
        """
        with self.writing() as connection:
            connection.execute("UPDATE outbox SET refused = refused + ?", (count,))

    def status(self) -> OutboxStatus:
        """What it holds, whoever put it there.

        :raises OutboxError: the file cannot be read.
        """
        with self.reading() as connection:
            return read_status(connection, self.budget)

    def unacknowledged(self, ids: range) -> int:
        """How many events with these ids wait for Kafka.

        :raises OutboxError: the file cannot be read.
        """
        with self.reading() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM event INDEXED BY event_waiting"
                " WHERE acknowledged_us IS NULL AND id BETWEEN ? AND ?",
                (ids.start, ids.stop - 1),
            ).fetchone()
        return int(count)

    def seal_of(self, procedure_id: UUID) -> UUID | None:
        """The seal of a procedure that this file has; None while there is none.

        :raises OutboxError: the file cannot be read.
        """
        with self.reading() as connection:
            return sealed_procedures.seal_of(connection, procedure_id)

    def close_procedure(self, procedure_id: UUID) -> Contents:
        """What was numbered here for a procedure so far, synced; what comes later is numbered
        under a producer id that is not among these, and signed.

        :raises OutboxError: the file cannot be written.
        """
        with self.writing() as connection:
            contents = sealed_procedures.contents_of(connection, procedure_id)
            sealed_procedures.close_procedure(connection, procedure_id, None)
        return contents

    def seal(
        self,
        procedure_id: UUID,
        make_seal: Callable[[Contents], OutboxEntry],
        report_gaps: Callable[[sqlite3.Connection], list[int]],
    ) -> tuple[UUID, list[int]]:
        """Accept the seal of a procedure, made from what was numbered here, in one transaction.

        Returns its event id and the ids of the rows; of a procedure that has a seal already, that
        seal's and none.

        :param report_gaps: accepts, in that transaction, what the seal has to count too.
        :raises OutboxError: the file cannot be written; it was not accepted.
        """
        with self.writing() as connection:
            known = sealed_procedures.seal_of(connection, procedure_id)
            if known is not None:
                return known, []
            ids = report_gaps(connection)
            entry = make_seal(sealed_procedures.contents_of(connection, procedure_id))
            ids += self.accept(connection, [entry])
            sealed_procedures.close_procedure(connection, procedure_id, entry.event_id)
        return entry.event_id, ids

    def accept(self, connection: sqlite3.Connection, entries: Sequence[OutboxEntry]) -> list[int]:
        """Accept entries that are not shed, in a transaction of :meth:`writing`; returns their ids.

        :raises OutboxFull: there is no room for them; nothing was accepted.
        """
        admission = Admission(connection, self.path, self.budget, self._oldest)
        admission.admit(entries)
        return number_and_insert(connection, entries, self._signer)

    def settle_seal(self, procedure_id: UUID, seal_id: UUID) -> None:
        """Note that a procedure was sealed in the other file of a pair.

        :raises OutboxError: the file cannot be written.
        """
        with self.writing() as connection:
            sealed_procedures.settle(connection, procedure_id, seal_id)

    def close(self) -> None:
        """Sync and close. The last user of the file leaves the mark of a clean end.

        :raises OutboxError: the mark cannot be written; the next user numbers under a new id.
        """
        with self._service_lock, ExitStack() as last:
            last.callback(self._users.close)
            last.callback(self._service.close)
            self._appending.close()
            with self._service.writing("close") as connection:
                connection.execute(f"UPDATE outbox SET synced_id = {_LAST_ID}")
                leave(connection, self.path, self._users)

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
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One synced write transaction on the file; errors become :class:`OutboxError`."""
        self._refuse_after_fork()
        # Synced whatever `synchronous` says, and with it all that was accepted before.
        with self._service_lock, self._service.writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, to read with; errors become :class:`OutboxError`."""
        with self._service_lock, self._service.reading() as connection:
            yield connection

    def _commit(self, calls: list[Sequence[OutboxEntry]]) -> list[list[int | None] | OutboxFull]:
        with self._appending.writing() as connection:
            admission = Admission(connection, self.path, self.budget, self._oldest)
            return accept_calls(connection, calls, admission, self._signer)
