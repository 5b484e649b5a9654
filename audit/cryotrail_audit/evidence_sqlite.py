"""Evidence from an SQLite file, opened read-only by the standard library's sqlite3.

Never by another SQLite within this process: closing its file would drop the POSIX locks of ours.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote
from uuid import UUID

from cryotrail_audit.batch_chain import (
    BATCH_COLUMNS,
    PARTITION_COLUMNS,
    REDELIVERY_COLUMNS,
    BatchRow,
    PartitionRow,
    RedeliveryRow,
)
from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.evidence import TABLES_OF_A_LOG, ReadEntry, Unreadable
from cryotrail_audit.framing import leaf_hash, pack_fields, pack_head, pack_tail
from cryotrail_audit.records import Entry, IncomingRecord, StoredSchema, StoredTopic

Row = TypeVar("Row", bound=NamedTuple)

_OF_THE_LOG = "log_id = (select log_id from log)"


class SqliteEvidenceDatabase:
    """See :class:`~cryotrail_audit.evidence.EvidenceDatabase`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def evidence(self) -> Iterator[SqliteEvidence]:
        uri = f"file:{quote(str(self._file.absolute()))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            connection.execute("begin")
            yield SqliteEvidence(connection)


class SqliteEvidence:
    """See :class:`~cryotrail_audit.evidence.Evidence`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def log_ids(self) -> Sequence[int]:
        return [log_id for (log_id,) in self._stream("select log_id from log")]

    def entries(self) -> Iterator[ReadEntry]:
        columns = ", ".join(Entry._fields)
        sql = f"select {columns} from entry where {_OF_THE_LOG} order by seq"
        for row in self._stream(sql):
            try:
                log_id, framing, kind, entry_no, seq, recorded_us = row[:6]
                record = IncomingRecord(*row[6:-1])
                computed = leaf_hash(
                    pack_head(log_id, kind, entry_no, seq, recorded_us), pack_tail(record)
                )
                event_type = None if record.event_type is None else record.event_type.encode()
            except (struct.error, BatchRefused) as error:
                raise Unreadable(str(error)) from error
            yield ReadEntry(
                log_id,
                framing,
                kind,
                entry_no,
                seq,
                recorded_us,
                record.procedure_id,
                event_type,
                record.raw,
                record.content_hash,
                row[-1],
                computed,
            )

    def batches(self) -> Iterator[tuple[BatchRow, bytes]]:
        columns = ", ".join(BatchRow._fields)
        for row in self._stream(
            f"select {columns}, batch_hash from batch where {_OF_THE_LOG} order by batch_no"
        ):
            _check_types(BATCH_COLUMNS, row[:-1])
            yield BatchRow(*row[:-1]), row[-1]

    def partitions(self) -> Iterator[PartitionRow]:
        return self._by_batch("batch_partition", PartitionRow, PARTITION_COLUMNS)

    def redeliveries(self) -> Iterator[RedeliveryRow]:
        return self._by_batch("redelivery", RedeliveryRow, REDELIVERY_COLUMNS)

    def topics(self) -> Mapping[int, tuple[StoredTopic, int]]:
        rows = self._stream("select topic_id, cluster_id, topic_uuid, name, created_us from topic")
        return {
            topic_id: (StoredTopic(topic_id, cluster_id, UUID(bytes=topic_uuid), name), created_us)
            for topic_id, cluster_id, topic_uuid, name, created_us in rows
        }

    def schemas(self) -> Mapping[bytes, tuple[StoredSchema, int]]:
        columns = ", ".join(StoredSchema._fields)
        rows = self._stream(f"select {columns}, created_us from schema")
        return {row[0]: (StoredSchema(*row[:-1]), row[-1]) for row in rows}

    def foreign_rows(self) -> int:
        counts = (
            f"(select count(*) from {table} where log_id not in (select log_id from log))"
            for table in TABLES_OF_A_LOG
        )
        ((count,),) = self._stream(f"select {' + '.join(counts)}")
        return int(count)

    def damage(self) -> str | None:
        # https://sqlite.org/pragma.html#pragma_integrity_check: every page and every index; the
        # first finding is enough.
        ((finding,),) = self._stream("pragma integrity_check(1)")
        return None if finding == "ok" else " ".join(finding.split())

    def _by_batch(
        self, table: str, kind: type[Row], columns: Sequence[tuple[str, str]]
    ) -> Iterator[Row]:
        names = ", ".join(kind._fields)
        for row in self._stream(
            f"select {names} from {table} where {_OF_THE_LOG} order by batch_no"
        ):
            _check_types(columns, row)
            yield kind(*row)

    def _stream(self, sql: str) -> Iterator[Any]:
        try:
            yield from self._connection.execute(sql)
        except sqlite3.Error as error:
            raise Unreadable(f"{error!s:.200}") from error  # it may quote a whole value


def _check_types(columns: Sequence[tuple[str, str]], row: Sequence[object]) -> None:
    """STRICT holds when a row is written: a damaged page gives any type back."""
    try:
        pack_fields(columns, row)
    except BatchRefused as error:
        raise Unreadable(str(error)) from error
