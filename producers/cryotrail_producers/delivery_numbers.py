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


def mint_producer(connection: sqlite3.Connection) -> None:
    """Begin to number under a new producer id."""
    connection.execute(
        "INSERT INTO producer (producer_id, last_seq, minted_us) VALUES (?, 0, ?)",
        (str(uuid.uuid4()), _now_us()),
    )


def number_and_insert(connection: sqlite3.Connection, entries: Sequence[OutboxEntry]) -> list[int]:
    """Number the entries and insert them, in the caller's write transaction; returns their ids.

    The last numbers are read anew each time, since another process may have given some.
    """
    producer_no, producer_seq = connection.execute(
        "SELECT producer_no, last_seq FROM producer ORDER BY producer_no DESC LIMIT 1"
    ).fetchone()
    procedure_seqs: dict[tuple[bytes, str], int] = {}
    appended_us = _now_us()
    rows = []
    for entry in entries:
        producer_seq += 1
        procedure = (entry.procedure_id.bytes, entry.topic)
        if procedure not in procedure_seqs:
            procedure_seqs[procedure] = _last_procedure_seq(connection, producer_no, procedure)
        procedure_seqs[procedure] += 1
        rows.append(
            (
                entry.event_id.bytes,
                entry.event_type,
                procedure[0],
                entry.occurred_us,
                entry.topic,
                entry.source,
                producer_no,
                producer_seq,
                procedure_seqs[procedure],
                entry.value,
                appended_us,
            )
        )
    connection.executemany(
        "INSERT INTO event (event_id, event_type, procedure_id, occurred_us, topic, source,"
        " producer_no, producer_seq, procedure_seq, value, appended_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    connection.execute(
        "UPDATE producer SET last_seq = ? WHERE producer_no = ?", (producer_seq, producer_no)
    )
    connection.executemany(
        "INSERT INTO procedure_number VALUES (?, ?, ?, ?)"
        " ON CONFLICT (producer_no, procedure_id, topic) DO UPDATE SET last_seq = excluded.last_seq",
        [
            (producer_no, procedure_id, topic, last_seq)
            for (procedure_id, topic), last_seq in procedure_seqs.items()
        ],
    )
    (last_id,) = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
    ).fetchone()
    return list(range(last_id - len(rows) + 1, last_id + 1))


def _last_procedure_seq(
    connection: sqlite3.Connection, producer_no: int, procedure: tuple[bytes, str]
) -> int:
    found = connection.execute(
        "SELECT last_seq FROM procedure_number"
        " WHERE producer_no = ? AND procedure_id = ? AND topic = ?",
        (producer_no, *procedure),
    ).fetchone()
    return 0 if found is None else int(found[0])


def _now_us() -> int:
    return time.time_ns() // 1000
