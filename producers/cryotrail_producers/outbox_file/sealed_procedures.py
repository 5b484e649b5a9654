"""Which procedures this outbox sealed, and what it must remember of the others to seal them.

A seal counts every event that the outbox ever numbered for a procedure, also those whose rows were
cut since. So cutting a row keeps its id and the hash of its content until the procedure is sealed;
accepting an event costs one look-up more and writes nothing more.

All functions run in a write transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain, parse_frame

SEAL_TYPE: Final = "ProcedureSealed"


class Contents(NamedTuple):
    """What one outbox file numbered for a procedure."""

    producer_ids: tuple[str, ...]
    """Every producer id that it numbered under, oldest first."""
    hashes: dict[bytes, bytes]
    """SHA-256 of the body by event id; of an id that was published twice, the first."""
    subject_id: UUID | None
    """As its events have it; None when there are none, or none that can be read."""
    data_origin: str | None
    forgotten: int
    """Events that were cut before this file kept contents, or lost with a damaged file: with any, no
    seal can count it all."""


class SealedProcedures:
    """The procedures sealed in one file, looked up once a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[bytes, int | None] = {}

    def through_producer_no(self, procedure_id: bytes) -> int | None:
        """Up to which producer the seal may name; None while the procedure is not sealed."""
        if procedure_id not in self._known:
            row = self._connection.execute(
                "SELECT through_producer_no FROM sealed WHERE procedure_id = ?", (procedure_id,)
            ).fetchone()
            self._known[procedure_id] = None if row is None else int(row[0])
        return self._known[procedure_id]

    def note(self, procedure_id: bytes, seal_id: bytes) -> None:
        """A seal that its publisher made itself, which names none of our producers."""
        if self.through_producer_no(procedure_id) is None:
            self._connection.execute("INSERT INTO sealed VALUES (?, ?, 0)", (procedure_id, seal_id))
            self._known[procedure_id] = 0
            _forget(self._connection, procedure_id)


def seal_of(connection: sqlite3.Connection, procedure_id: UUID) -> UUID | None:
    """The seal of a procedure in this file; None while there is none."""
    row = connection.execute(
        "SELECT seal_id FROM sealed WHERE procedure_id = ? AND seal_id IS NOT NULL",
        (procedure_id.bytes,),
    ).fetchone()
    return None if row is None else UUID(bytes=row[0])


def close_procedure(
    connection: sqlite3.Connection, procedure_id: UUID, seal_id: UUID | None
) -> None:
    """From here on the procedure's events are signed, and numbered under a new producer id.

    With its seal's id, what was kept for the seal is let go.
    """
    connection.execute(
        "INSERT INTO sealed SELECT ?, ?, max(producer_no) FROM producer WHERE true"
        " ON CONFLICT (procedure_id) DO UPDATE SET seal_id = coalesce(excluded.seal_id, seal_id),"
        " through_producer_no = max(through_producer_no, excluded.through_producer_no)",
        (procedure_id.bytes, None if seal_id is None else seal_id.bytes),
    )
    if seal_id is not None:
        _forget(connection, procedure_id.bytes)


def settle(connection: sqlite3.Connection, procedure_id: UUID, seal_id: UUID) -> None:
    """Note the seal of a procedure that was closed, or sealed in the other file."""
    SealedProcedures(connection).note(procedure_id.bytes, seal_id.bytes)
    connection.execute(
        "UPDATE sealed SET seal_id = ? WHERE procedure_id = ? AND seal_id IS NULL",
        (seal_id.bytes, procedure_id.bytes),
    )
    _forget(connection, procedure_id.bytes)


def _forget(connection: sqlite3.Connection, procedure_id: bytes) -> None:
    """Let go what was kept for the seal of a procedure."""
    for table in ("content", "subject"):
        connection.execute(f"DELETE FROM {table} WHERE procedure_id = ?", (procedure_id,))


def contents_of(connection: sqlite3.Connection, procedure_id: UUID) -> Contents:
    """Everything that this file numbered for a procedure."""
    of = (procedure_id.bytes,)
    numbered = connection.execute(
        "SELECT producer_id, sum(n.last_seq) FROM procedure_number n JOIN producer"
        " USING (producer_no) WHERE procedure_id = ? GROUP BY producer_no ORDER BY producer_no",
        of,
    ).fetchall()
    kept = connection.execute(
        "SELECT id, event_id, content_hash FROM content WHERE procedure_id = ? ORDER BY id", of
    ).fetchall()
    rows = connection.execute(
        "SELECT id, event_id, value FROM event WHERE procedure_id = ? ORDER BY id", of
    ).fetchall()
    hashes: dict[bytes, bytes] = {}
    for _, event_id, content_hash in sorted(
        kept + [(id_, event_id, _content_hash(value)) for id_, event_id, value in rows]
    ):
        hashes.setdefault(event_id, content_hash)
    (unknown,) = connection.execute(
        "SELECT count(*) FROM loss WHERE procedure_id = ? AND lost_count IS NULL", of
    ).fetchone()
    subject = connection.execute(
        "SELECT subject_id, data_origin FROM subject WHERE procedure_id = ?", of
    ).fetchone()
    if subject is None and rows:
        subject = subject_of(rows[0][2])
    return Contents(
        producer_ids=tuple(producer_id for producer_id, _ in numbered),
        hashes=hashes,
        subject_id=None if subject is None else UUID(bytes=subject[0]),
        data_origin=None if subject is None else subject[1],
        forgotten=sum(count for _, count in numbered) - len(kept) - len(rows) + unknown,
    )


def keep_contents(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Keep what a seal will need of rows that are about to be cut."""
    marks = ", ".join("?" * len(ids))
    rows = connection.execute(
        f"SELECT id, procedure_id, event_id, value FROM event WHERE id IN ({marks})"
        " AND procedure_id NOT IN (SELECT procedure_id FROM sealed WHERE seal_id IS NOT NULL)",
        ids,
    ).fetchall()
    connection.executemany(
        "INSERT INTO content VALUES (?, ?, ?, ?)",
        [(row[1], row[0], row[2], _content_hash(row[3])) for row in rows],
    )
    one_each = {row[1]: row[3] for row in rows}
    subjects = {procedure_id: subject_of(value) for procedure_id, value in one_each.items()}
    connection.executemany(
        "INSERT INTO subject VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(procedure_id, *subject) for procedure_id, subject in subjects.items() if subject],
    )


def _content_hash(value: bytes) -> bytes:
    return sha256(parse_frame(value).body).digest()


def subject_of(value: bytes) -> tuple[bytes, str] | None:
    """Subject and data origin, as the header of an event has them; None when it cannot be read."""
    frame = parse_frame(value)
    event_type = catalog().by_fingerprint(frame.fingerprint or b"")
    if event_type is None:
        return None  # written by a later version of cryotrail
    header = decode_plain(frame.body, event_type)["header"]
    return UUID(header["subject_id"]).bytes, str(header["data_origin"])
