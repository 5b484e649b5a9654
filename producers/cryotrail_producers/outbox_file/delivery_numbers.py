"""The delivery numbers of events, given in the transaction that accepts them.

``producer_seq`` is gapless from 1 per producer, ``procedure_seq`` gapless from 1 per producer,
procedure and topic. They stand beside an event, not in it: the body says what happened, the
numbers say how it was delivered and let the recorder see a gap.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from cryotrail_producers.outbox_file.budget import ROW_BYTES
from cryotrail_producers.outbox_file.row_checksum import WRITTEN_COLUMNS, row_checksum
from cryotrail_producers.outbox_file.sealed_procedures import SEAL_TYPE, SealedProcedures
from cryotrail_schemas.codec import parse_frame
from cryotrail_schemas.events import ProbeTelemetryChunk
from cryotrail_schemas.identifiers import new_event_id
from cryotrail_schemas.signing import SIGNED_TYPES, Signer

_INSERT = (
    f"INSERT INTO event ({', '.join(WRITTEN_COLUMNS)}, checksum)"
    f" VALUES ({', '.join('?' * (len(WRITTEN_COLUMNS) + 1))})"
)


class OutboxEntry(NamedTuple):
    """An encoded event that waits for its numbers."""

    event_id: uuid.UUID
    event_type: str
    procedure_id: uuid.UUID
    occurred_us: int
    topic: str
    source: str
    value: bytes
    """The record's value: framed Avro."""
    traceparent: str | None = None
    """W3C Trace Context of the span that published it."""
    sheddable: ProbeTelemetryChunk | None = None
    """The chunk itself when it may be shed for want of room; None = it may not."""


def mint_producer(connection: sqlite3.Connection) -> int:
    """Begin to number under a new producer id; returns its number in this file.

    Ids sort by the time they were made, so that events of one instant keep their order.
    """
    cursor = connection.execute(
        "INSERT INTO producer (producer_id, last_seq, minted_us) VALUES (?, 0, ?)",
        (str(new_event_id()), _now_us()),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def number_and_insert(
    connection: sqlite3.Connection, entries: Sequence[OutboxEntry], signer: Signer | None = None
) -> list[int]:
    """Number the entries and insert them, in the caller's write transaction; returns their ids.

    With a signer, what must be signed singly is: :data:`~cryotrail_schemas.signing.SIGNED_TYPES`,
    and everything of a procedure that was sealed here.
    """
    if not entries:
        return []
    numbers = _Numbers(connection)
    sealed = SealedProcedures(connection)
    appended_us = _now_us()
    rows = []
    for entry in entries:
        procedure_id = entry.procedure_id.bytes
        through = sealed.through_producer_no(procedure_id)
        if through is not None:
            numbers.begin_after(through)
        signed: tuple[bytes | None, bytes | None] = (None, None)
        if signer is not None and (through is not None or entry.event_type in SIGNED_TYPES):
            signed = (signer.key_id, signer.sign(parse_frame(entry.value).body))
        columns = (
            entry.event_id.bytes,
            entry.event_type,
            procedure_id,
            entry.occurred_us,
            entry.topic,
            entry.source,
            *numbers.next(procedure_id, entry.topic),
            entry.value,
            *signed,
            entry.traceparent,
            appended_us,
        )
        rows.append((*columns, row_checksum(columns)))
        if entry.event_type == SEAL_TYPE:
            sealed.note(procedure_id, entry.event_id.bytes)
    connection.executemany(_INSERT, rows[:-1])
    last_id = connection.execute(_INSERT, rows[-1]).lastrowid
    assert last_id is not None
    numbers.write_down()
    connection.execute(
        "UPDATE outbox SET waiting_rows = waiting_rows + ?, waiting_bytes = waiting_bytes + ?",
        (len(entries), sum(len(entry.value) for entry in entries) + ROW_BYTES * len(entries)),
    )
    # Nobody else inserts meanwhile, so the ids of one call have no gaps.
    return list(range(last_id - len(rows) + 1, last_id + 1))


class _Numbers:
    """The last numbers given, read anew in each transaction: another process may have given some."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._producer_no, self._producer_seq = connection.execute(
            "SELECT producer_no, last_seq FROM producer ORDER BY producer_no DESC LIMIT 1"
        ).fetchone()
        self._procedure_seqs: dict[tuple[bytes, str], int] = {}

    def begin_after(self, producer_no: int) -> None:
        """Number on under a new producer id, unless the present one is newer than that."""
        if self._producer_no <= producer_no:
            self.write_down()
            self._producer_no, self._producer_seq = mint_producer(self._connection), 0
            self._procedure_seqs = {}

    def next(self, procedure_id: bytes, topic: str) -> tuple[int, int, int]:
        """The producer's number in this file, ``producer_seq`` and ``procedure_seq``."""
        key = (procedure_id, topic)
        if key not in self._procedure_seqs:
            self._procedure_seqs[key] = self._last_procedure_seq(key)
        self._procedure_seqs[key] += 1
        self._producer_seq += 1
        return self._producer_no, self._producer_seq, self._procedure_seqs[key]

    def write_down(self) -> None:
        """Keep what was given under the present producer id."""
        self._connection.execute(
            "UPDATE producer SET last_seq = ? WHERE producer_no = ?",
            (self._producer_seq, self._producer_no),
        )
        self._connection.executemany(
            "INSERT INTO procedure_number VALUES (?, ?, ?, ?) ON CONFLICT"
            " (producer_no, procedure_id, topic) DO UPDATE SET last_seq = excluded.last_seq",
            [(self._producer_no, *key, last) for key, last in self._procedure_seqs.items()],
        )

    def _last_procedure_seq(self, key: tuple[bytes, str]) -> int:
        found = self._connection.execute(
            "SELECT last_seq FROM procedure_number"
            " WHERE producer_no = ? AND procedure_id = ? AND topic = ?",
            (self._producer_no, *key),
        ).fetchone()
        return 0 if found is None else int(found[0])


def _now_us() -> int:
    return time.time_ns() // 1000
