"""Signed notes in the store: the tables ``checkpoint`` and ``procedure_head``.

The columns beside a note are for finding it. What a note says counts only once its signature was
verified with a key from outside the store: whoever can write to the database can put any row here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import head as heads
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused, SigningRefused
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.checkpoints.note import SignedNote
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import IMMEDIATE
from cryotrail_audit.reading import read_origin
from cryotrail_audit.store_connections import StoreConnections
from cryotrail_audit.tables import CHECKPOINT, LOG, PROCEDURE_HEAD

_TRIES: Final = 8
"""A log has a signer and a few witnesses: more than two seldom take a number at once."""

_PAGE: Final = 8


class StoredCheckpoint(NamedTuple):
    """A row of ``checkpoint``."""

    checkpoint_no: int
    origin: str
    tree_size: int
    root: bytes
    note: bytes
    signed_us: int


class StoredHead(NamedTuple):
    """A row of ``procedure_head``."""

    procedure_id: UUID
    tree_size: int
    entry_count: int
    leaves_hash: bytes
    note: bytes
    signed_us: int


class SignedNotes(StoreConnections):
    """The signed notes of the newest log; may be shared between threads."""

    def origin(self) -> str:
        """The name of the newest log.

        :raises LogMissing: there is none.
        """
        with self._reading() as connection:
            return read_origin(connection)

    def checkpoints(
        self, origin: str, at_most_size: int | None = None
    ) -> Iterator[StoredCheckpoint]:
        """The checkpoints of an origin, the largest first, and the latest first of one size.

        Read a few at a time, each time anew: no transaction stays open while the caller works.
        """
        columns = [CHECKPOINT.c[name] for name in StoredCheckpoint._fields]
        query = (
            select(*columns)
            .where(CHECKPOINT.c.origin == origin)
            .order_by(CHECKPOINT.c.tree_size.desc(), CHECKPOINT.c.checkpoint_no.desc())
            .limit(_PAGE)
        )
        if at_most_size is not None:
            query = query.where(CHECKPOINT.c.tree_size <= at_most_size)
        page = query
        while True:
            with self._reading() as connection:
                rows = [StoredCheckpoint(*row) for row in connection.execute(page)]
            yield from rows
            if len(rows) < _PAGE:
                return
            size, number = CHECKPOINT.c.tree_size, CHECKPOINT.c.checkpoint_no
            last = rows[-1]
            page = query.where(
                size <= last.tree_size,
                or_(size < last.tree_size, number < last.checkpoint_no),
            )

    def latest_checkpoint(
        self, origin: str, at_most_size: int | None = None
    ) -> StoredCheckpoint | None:
        """The first of :meth:`checkpoints`; None = there is none."""
        return next(self.checkpoints(origin, at_most_size), None)

    def newest_signed(
        self, origin: str, key: PinnedKey, at_most_size: int | None = None
    ) -> StoredCheckpoint | None:
        """The first of :meth:`checkpoints` that a key signed and whose columns say what it says."""
        for stored in self.checkpoints(origin, at_most_size):
            try:
                note = notes.parse(stored.note)
                key.verify(note)
                said = checkpoints.parse(note.text)
            except (NoteRefused, SignatureRefused):
                continue
            if said == (stored.origin, stored.tree_size, stored.root):
                return stored
        return None

    def newest_kept(self, key: PinnedKey) -> Kept | None:
        """The newest checkpoint of a log and that of its batches, both signed; for anchors."""
        note = self.newest_signed(key.name, key)
        batches = self.newest_signed(checkpoints.batches_origin(key.name), key)
        return None if note is None or batches is None else Kept(note.note, batches.note)

    def heads_of(self, procedure_id: UUID) -> list[StoredHead]:
        """The heads of a procedure, the latest first."""
        columns = [PROCEDURE_HEAD.c[name] for name in StoredHead._fields]
        query = (
            select(*columns)
            .where(PROCEDURE_HEAD.c.procedure_id == procedure_id.bytes)
            .order_by(
                PROCEDURE_HEAD.c.log_id.desc(),
                PROCEDURE_HEAD.c.tree_size.desc(),
                PROCEDURE_HEAD.c.signed_us.desc(),
            )
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [StoredHead(UUID(bytes=row[0]), *row[1:]) for row in rows]

    def add(self, signed: Sequence[SignedNote], signed_us: int) -> None:
        """Insert checkpoints and procedure heads in one transaction.

        A head that is there already, of the same procedure, size and time, is left as it is.

        :raises SigningRefused: one is of no log of the store.
        """
        writing = self._engine.execution_options(**IMMEDIATE)
        with database_errors(self._name):
            for attempt in range(_TRIES):
                try:
                    with writing.begin() as connection:
                        _insert(connection, signed, signed_us)
                    return
                except IntegrityError:
                    # Somebody else took the number between our reading it and our commit.
                    if attempt == _TRIES - 1:
                        raise


def _insert(connection: Connection, signed: Sequence[SignedNote], signed_us: int) -> None:
    for note in signed:
        origin = note.text.partition("\n")[0]
        log_id = _log_of(connection, origin)
        if origin.endswith(heads.PROCEDURE_HEADS):
            _insert_head(connection, log_id, note)
            continue
        newest = select(func.max(CHECKPOINT.c.checkpoint_no)).where(CHECKPOINT.c.log_id == log_id)
        found = connection.execute(newest).scalar()
        number = 0 if found is None else found + 1
        row = StoredCheckpoint(number, *checkpoints.parse(note.text), note.to_bytes(), signed_us)
        connection.execute(insert(CHECKPOINT).values(log_id=log_id, **row._asdict()))


def _log_of(connection: Connection, origin: str) -> int:
    """The log that a note is of, which may have been continued since it was signed.

    :raises SigningRefused: the store has no such log.
    """
    name = origin.removesuffix(checkpoints.BATCHES).removesuffix(heads.PROCEDURE_HEADS)
    log_id = connection.execute(select(LOG.c.log_id).where(LOG.c.origin == name)).scalar()
    if log_id is None:
        raise SigningRefused(f"the note is of {name}, which is no log of the store")
    return int(log_id)


def _insert_head(connection: Connection, log_id: int, note: SignedNote) -> None:
    said = heads.parse(note.text)
    values: dict[str, Any] = {
        "log_id": log_id,
        "procedure_id": said.procedure_id.bytes,
        "tree_size": said.tree_size,
        "signed_us": said.signed_s * 1_000_000,
    }
    same = [PROCEDURE_HEAD.c[name] == value for name, value in values.items()]
    if connection.execute(select(PROCEDURE_HEAD.c.tree_size).where(*same)).first() is None:
        connection.execute(
            insert(PROCEDURE_HEAD).values(
                entry_count=said.entry_count,
                leaves_hash=said.leaves_hash,
                note=note.to_bytes(),
                **values,
            )
        )
