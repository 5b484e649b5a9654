"""Ranges of entries from PostgreSQL: the messages of COPY BINARY are hashed as they come.

Framing 1 is COPY BINARY's own field encoding, so a row need not be taken apart to be hashed. Every
process has a connection of its own in the verifier's snapshot.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import IsolationLevel, errors, sql

from cryotrail_audit.evidence import RangeReader, Unreadable
from cryotrail_audit.evidence.range import Broken, RangeCheck, RangeFindings, SeqRange
from cryotrail_audit.framing import LEAF_PREFIX
from cryotrail_audit.records import Entry

# The length of raw follows the row, so that raw is found from the end of the message.
_COPY: Final = f"""
copy (
  select {", ".join(Entry._fields)}, coalesce(octet_length(raw), -1)
  from audit.entry where log_id = %d and seq >= %d and seq < %d order by seq
) to stdout (format binary)
"""
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00"
_HEADER_BYTES: Final = 19
_TRAILER: Final = b"\xff\xff"

# Field count, then length and value of log_id, framing, kind, procedure_entry_no, seq,
# recorded_us, event_id, and the length of event_type; the second form is that of a null
# procedure_entry_no.
_HEAD: Final = struct.Struct(">hihihihiiiqiqi16xi")
_HEAD_UNNUMBERED: Final = struct.Struct(">hihihihiiqiqi16xi")
_LENGTHS_OF_HEAD: Final = (len(Entry._fields) + 1, 2, 2, 2, 8, 8, 16)
_LENGTH: Final = struct.Struct(">i")

# From the end: content_hash (4 + 32 bytes), leaf_hash (4 + 32), the length of raw (4 + 4).
_END: Final = struct.Struct(">i32si32sii")
_LENGTHS_OF_END: Final = (32, 32, 4)
_UUID_FIELD: Final = b"\x00\x00\x00\x10"

# What a damaged page or value makes the server say.
_DAMAGE: Final = (psycopg.DataError, psycopg.InternalError)


@contextmanager
def readable() -> Iterator[None]:
    """Damage within the block is :class:`Unreadable`."""
    try:
        yield
    except _DAMAGE as error:
        raise Unreadable(" ".join(str(error).split())) from error


class PostgresqlRanges(NamedTuple):
    """See :class:`~cryotrail_audit.evidence.RangeSource`."""

    arguments: Mapping[str, Any]
    """Of ``psycopg.connect``."""
    snapshot: str
    """As ``pg_export_snapshot`` named it; held open by the verifier."""

    def open(self) -> RangeReader:
        connection = psycopg.connect(
            **{"application_name": "cryotrail audit verify", **self.arguments}
        )
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(sql.SQL("set transaction snapshot {}").format(self.snapshot))
        return PostgresqlRangeReader(connection)


class PostgresqlRangeReader:
    """See :class:`~cryotrail_audit.evidence.RangeReader`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def read(self, log_id: int, of: SeqRange) -> RangeFindings:
        check = RangeCheck(of)
        try:
            with readable():
                self._read(log_id, of, check)
        except Broken as broken:
            return check.findings(broken)
        except Unreadable as error:
            seq = check.next_seq
            return check.findings(
                Broken(seq, f"from entry {seq} on the log cannot be read: {error}")
            )
        return check.findings()

    def close(self) -> None:
        self._connection.close()

    def _read(self, log_id: int, of: SeqRange, check: RangeCheck) -> None:
        statement = _COPY % (log_id, of.first, of.end)
        with closing(self._messages(statement.encode())) as messages:
            for row in messages:
                # The server sends one message a row, and the header with the first of them:
                # https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
                if row.startswith(_SIGNATURE):
                    row = row[_HEADER_BYTES:]
                if row and row != _TRAILER:
                    _take(row, check)

    def _messages(self, statement: bytes) -> Generator[bytes]:
        """What the server sends; libpq is asked first, which costs a third of ``copy.read()``."""
        libpq = self._connection.pgconn
        with self._connection.cursor().copy(statement) as copy:
            while True:
                count, message = libpq.get_copy_data(1)
                if count > 0:
                    yield bytes(message)
                elif count == 0:  # nothing has arrived yet: wait
                    if not (waited := copy.read()):
                        return
                    yield bytes(waited)
                else:
                    self._end_copy()
                    return

    def _end_copy(self) -> None:
        """Take what follows the last message.

        :raises psycopg.Error: the server ended the copy because it failed.
        """
        libpq = self._connection.pgconn
        failed = None
        while (result := libpq.get_result()) is not None:
            if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                failed = result
        if failed is not None:
            raise errors.error_from_result(failed)


def _take(row: bytes, check: RangeCheck) -> None:
    """One row of COPY BINARY: hashed as it is, and only what is compared taken out of it."""
    try:
        (
            count, l_log, _, l_framing, framing, l_kind, kind, l_entry_no, entry_no,
            l_seq, seq, l_recorded, recorded_us, l_event_id, l_type,
        ) = _HEAD.unpack_from(row)  # fmt: skip
        at = _HEAD.size
        if l_entry_no == -1:
            entry_no = None
            l_seq, seq, l_recorded, recorded_us, l_event_id, l_type = _HEAD_UNNUMBERED.unpack_from(
                row
            )[-6:]
            at = _HEAD_UNNUMBERED.size
        if (count, l_log, l_framing, l_kind, l_seq, l_recorded, l_event_id) != _LENGTHS_OF_HEAD:
            raise Unreadable("a column of the row is null or of another type than it should be")
        event_type = None
        if l_type >= 0:
            event_type = row[at : at + l_type]
            at += l_type
        procedure_id = row[at + 4 : at + 20] if row.startswith(_UUID_FIELD, at) else None
        end = len(row) - _END.size
        l_content, content_hash, l_leaf, leaf_hash, l_length, raw_length = _END.unpack_from(
            row, end
        )
        raw_start = end - max(raw_length, 0)
        if (l_content, l_leaf, l_length) != _LENGTHS_OF_END or (
            _LENGTH.unpack_from(row, raw_start - 4)[0] != raw_length
        ):
            raise Unreadable("a hash of the row is null or not 32 bytes long")
    except struct.error as error:
        raise Unreadable("the row is not laid out as framing 1 has it") from error
    check.take(
        framing,
        kind,
        entry_no,
        seq,
        recorded_us,
        event_type,
        procedure_id,
        None if raw_length == -1 else row[raw_start:end],
        content_hash,
        leaf_hash,
        sha256(LEAF_PREFIX + row[2 : end + 36]).digest(),
    )
