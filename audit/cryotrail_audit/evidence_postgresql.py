"""Evidence from PostgreSQL: the messages of COPY BINARY are hashed as they come.

Framing 1 is COPY BINARY's own field encoding, so a row need not be taken apart to be hashed. Two
connections share one snapshot: one streams the entries, the other everything else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import Engine

from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.evidence import TABLES_OF_A_LOG, ReadEntry, Unreadable
from cryotrail_audit.framing import LEAF_PREFIX
from cryotrail_audit.records import Entry, StoredSchema, StoredTopic

Row = TypeVar("Row", bound=NamedTuple)

_OF_THE_LOG = "log_id = (select log_id from audit.log)"

# The length of raw follows the row, so that raw is found from the end of the message.
_COPY_ENTRIES = f"""
copy (
  select {", ".join(Entry._fields)}, coalesce(octet_length(raw), -1)
  from audit.entry where {_OF_THE_LOG} order by seq
) to stdout (format binary)
"""
_COPY_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_COPY_HEADER_BYTES = 19
_COPY_TRAILER = b"\xff\xff"

# Field count, then length and value of log_id, framing, kind, procedure_entry_no, seq,
# recorded_us; the second form is that of a null procedure_entry_no.
_HEAD = struct.Struct(">hihihihiiiqiq")
_HEAD_UNNUMBERED = struct.Struct(">hihihihiiqiq")
_LENGTH = struct.Struct(">i")
_LENGTHS_OF_HEAD = (len(Entry._fields) + 1, 2, 2, 2, 8, 8)

# What a damaged page or value makes the server say.
_DAMAGE = (psycopg.DataError, psycopg.InternalError)

# From the end: the length of raw (4 + 4 bytes), leaf_hash (4 + 32), content_hash (4 + 32).
_AFTER_LEAF, _LEAF_FIELD, _CONTENT_FIELD = 8, 36, 36


class PostgresqlEvidenceDatabase:
    """See :class:`~cryotrail_audit.evidence.EvidenceDatabase`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def evidence(self) -> Iterator[PostgresqlEvidence]:
        with ExitStack() as stack:
            rows = stack.enter_context(self._snapshot())
            entries = stack.enter_context(self._snapshot())
            snapshot = rows.execute("select pg_export_snapshot()").fetchone()
            assert snapshot is not None
            entries.execute(psycopg.sql.SQL("set transaction snapshot {}").format(snapshot[0]))
            yield PostgresqlEvidence(rows, entries)

    @contextmanager
    def _snapshot(self) -> Iterator[psycopg.Connection]:
        with closing(self._engine.raw_connection()) as pooled:
            connection = cast(psycopg.Connection, pooled.driver_connection)
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                yield connection
            finally:
                pooled.invalidate()  # it is set up for reading alone


class PostgresqlEvidence:
    """See :class:`~cryotrail_audit.evidence.Evidence`."""

    def __init__(self, rows: psycopg.Connection, entries: psycopg.Connection) -> None:
        self._rows, self._entries = rows, entries

    def log_ids(self) -> Sequence[int]:
        return [log_id for (log_id,) in self._fetched("select log_id from audit.log")]

    def entries(self) -> Iterator[ReadEntry]:
        with _readable(), self._entries.cursor().copy(_COPY_ENTRIES.encode()) as copy:
            # The server sends one message a row, and the header with the first of them:
            # https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
            for message in copy:
                row = bytes(message)
                if row.startswith(_COPY_SIGNATURE):
                    row = row[_COPY_HEADER_BYTES:]
                if row and row != _COPY_TRAILER:
                    yield _read_entry(row)

    def batches(self) -> Iterator[tuple[BatchRow, bytes]]:
        columns = ", ".join(BatchRow._fields)
        for row in self._stream(
            "batches",
            f"select {columns}, batch_hash from audit.batch where {_OF_THE_LOG} order by batch_no",
        ):
            yield BatchRow(*row[:-1]), row[-1]

    def partitions(self) -> Iterator[PartitionRow]:
        return self._by_batch("batch_partition", PartitionRow)

    def redeliveries(self) -> Iterator[RedeliveryRow]:
        return self._by_batch("redelivery", RedeliveryRow)

    def topics(self) -> Mapping[int, tuple[StoredTopic, int]]:
        rows = self._fetched(
            "select topic_id, cluster_id, topic_uuid, name, created_us from audit.topic"
        )
        return {
            topic_id: (StoredTopic(topic_id, cluster_id, UUID(str(topic_uuid)), name), created_us)
            for topic_id, cluster_id, topic_uuid, name, created_us in rows
        }

    def schemas(self) -> Mapping[bytes, tuple[StoredSchema, int]]:
        columns = ", ".join(StoredSchema._fields)
        rows = self._fetched(f"select {columns}, created_us from audit.schema")
        return {row[0]: (StoredSchema(*row[:-1]), row[-1]) for row in rows}

    def foreign_rows(self) -> int:
        counts = (
            f"(select count(*) from audit.{table}"
            " where log_id not in (select log_id from audit.log))"
            for table in TABLES_OF_A_LOG
        )
        ((count,),) = self._fetched(f"select {' + '.join(counts)}")
        return int(count)

    def damage(self) -> str | None:
        return None  # only the extension amcheck looks at indexes, and it is seldom installed

    def _fetched(self, sql: str) -> list[tuple[Any, ...]]:
        with _readable():
            return self._rows.execute(sql.encode()).fetchall()

    def _stream(self, name: str, sql: str) -> Iterator[Any]:
        with _readable(), self._rows.cursor(name=name, binary=True) as cursor:
            cursor.itersize = 2000
            cursor.execute(sql.encode())
            yield from cursor

    def _by_batch(self, table: str, kind: type[Row]) -> Iterator[Row]:
        columns = ", ".join(kind._fields)
        sql = f"select {columns} from audit.{table} where {_OF_THE_LOG} order by batch_no"
        return (kind(*row) for row in self._stream(table, sql))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise Unreadable(" ".join(str(error).split())) from error


def _read_entry(row: bytes) -> ReadEntry:
    """One row of COPY BINARY: hashed as it is, and only what is compared taken out of it."""
    try:
        return _taken_apart(row)
    except struct.error as error:
        raise Unreadable("the row is not laid out as framing 1 has it") from error


def _taken_apart(row: bytes) -> ReadEntry:
    (
        count, l_log, log_id, l_framing, framing, l_kind, kind, l_entry_no, entry_no,
        l_seq, seq, l_recorded, recorded_us,
    ) = _HEAD.unpack_from(row)  # fmt: skip
    at = _HEAD.size
    if l_entry_no == -1:
        entry_no = None
        l_seq, seq, l_recorded, recorded_us = _HEAD_UNNUMBERED.unpack_from(row)[-4:]
        at = _HEAD_UNNUMBERED.size
    if (count, l_log, l_framing, l_kind, l_seq, l_recorded) != _LENGTHS_OF_HEAD:
        raise Unreadable("a column of the row is null or of another type than it should be")
    _, at = _field(row, at)  # event_id
    event_type, at = _field(row, at)
    procedure_id, at = _field(row, at)
    leaf_end = len(row) - _AFTER_LEAF
    content_end = leaf_end - _LEAF_FIELD
    raw_end = content_end - _CONTENT_FIELD
    (raw_length,) = _LENGTH.unpack_from(row, leaf_end + 4)
    raw_start = raw_end - max(raw_length, 0)
    if _LENGTH.unpack_from(row, raw_start - 4)[0] != raw_length:
        raise Unreadable("a hash of the row is null or not 32 bytes long")
    return ReadEntry(
        log_id,
        framing,
        kind,
        entry_no,
        seq,
        recorded_us,
        procedure_id,
        event_type,
        None if raw_length == -1 else row[raw_start:raw_end],
        row[content_end - 32 : content_end],
        row[leaf_end - 32 : leaf_end],
        sha256(LEAF_PREFIX + row[2:content_end]).digest(),
    )


def _field(row: bytes, at: int) -> tuple[bytes | None, int]:
    """The field that begins at a position, and where the next one does."""
    (length,) = _LENGTH.unpack_from(row, at)
    start = at + 4
    if length == -1:
        return None, start
    return row[start : start + length], start + length
