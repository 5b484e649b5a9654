"""Ranges of entries from an SQLite file: every column packed again as framing 1 has it."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.evidence import RangeReader, Unreadable
from cryotrail_audit.evidence.range import Broken, RangeCheck, RangeFindings, SeqRange
from cryotrail_audit.framing import LEAF_PREFIX, pack_head, pack_tail
from cryotrail_audit.records import Entry

_SELECT: Final = (
    f"select {', '.join(Entry._fields)} from entry"
    " where log_id = ? and seq >= ? and seq < ? order by seq"
)
_HEAD_COLUMNS: Final = Entry._fields.index("event_id")


def connected(file: Path, *, by_threads: bool = False) -> sqlite3.Connection:
    """A connection that can read and nothing else.

    :param by_threads: it may be used by a thread that did not make it.
    """
    uri = f"file:{quote(str(file.absolute()))}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=not by_threads)


class SqliteRanges(NamedTuple):
    """See :class:`~cryotrail_audit.evidence.RangeSource`."""

    file: Path

    def open(self) -> RangeReader:
        return SqliteRangeReader(connected(self.file))


class SqliteRangeReader:
    """See :class:`~cryotrail_audit.evidence.RangeReader`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self, log_id: int, of: SeqRange) -> RangeFindings:
        check = RangeCheck(of)
        try:
            with closing(self._connection.execute(_SELECT, (log_id, of.first, of.end))) as rows:
                for row in rows:
                    _take(row, check)
        except Broken as broken:
            return check.findings(broken)
        except (Unreadable, sqlite3.Error) as error:
            seq = check.next_seq
            return check.findings(
                Broken(seq, f"from entry {seq} on the log cannot be read: {error!s:.200}")
            )
        return check.findings()

    def close(self) -> None:
        self._connection.close()


def _take(row: tuple[Any, ...], check: RangeCheck) -> None:
    log_id, framing, kind, entry_no, seq, recorded_us = row[:_HEAD_COLUMNS]
    record: Any = row[_HEAD_COLUMNS:-1]
    try:
        packed = LEAF_PREFIX + pack_head(log_id, kind, entry_no, seq, recorded_us)
        computed = sha256(packed + pack_tail(record)).digest()
        event_type, procedure_id, raw = record[1], record[2], record[20]
        check.take(
            framing,
            kind,
            entry_no,
            seq,
            recorded_us,
            None if event_type is None else event_type.encode(),
            procedure_id,
            raw,
            record[21],
            row[-1],
            computed,
        )
    except (struct.error, BatchRefused, TypeError) as error:
        raise Unreadable(str(error)) from error
