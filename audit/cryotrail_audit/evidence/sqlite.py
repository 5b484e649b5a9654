"""Evidence from an SQLite file, opened read-only by the standard library's sqlite3.

Never by another SQLite within this process: closing its file would drop the POSIX locks of ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
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
from cryotrail_audit.evidence import (
    TABLES_OF_A_LOG,
    CheckpointRow,
    Damage,
    HeadRow,
    LogRow,
    TileRow,
    Unreadable,
    columns_of,
)
from cryotrail_audit.evidence.integrity_check import integrity_check
from cryotrail_audit.evidence.processes import read_ranges
from cryotrail_audit.evidence.range import RangeFindings, SeqRange
from cryotrail_audit.evidence.rows import SqliteRanges, connected
from cryotrail_audit.framing import pack_fields
from cryotrail_audit.records import StoredSchema, StoredTopic

Row = TypeVar("Row", bound=NamedTuple)

_LOG_COLUMNS = (("log_id", "smallint"), ("origin", "text"), ("continues", "text?"))
_TILE_COLUMNS = (
    ("level", "smallint"),
    ("tile_no", "bigint"),
    ("root", "bytea"),
    ("hashes", "bytea"),
)
_CHECKPOINT_COLUMNS = (
    ("checkpoint_no", "bigint"),
    ("origin", "text"),
    ("tree_size", "bigint"),
    ("root", "bytea"),
    ("note", "bytea"),
    ("signed_us", "bigint"),
)
_HEAD_COLUMNS = (
    ("procedure_id", "uuid"),
    ("tree_size", "bigint"),
    ("entry_count", "integer"),
    ("leaves_hash", "bytea"),
    ("note", "bytea"),
    ("signed_us", "bigint"),
)


class SqliteEvidenceDatabase:
    """See :class:`~cryotrail_audit.evidence.EvidenceDatabase`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def evidence(self) -> Iterator[SqliteEvidence]:
        with closing(connected(self._file)) as connection:
            connection.execute("begin")
            yield SqliteEvidence(connection, SqliteRanges(self._file))


class SqliteEvidence:
    """See :class:`~cryotrail_audit.evidence.Evidence`."""

    def __init__(self, connection: sqlite3.Connection, ranges: SqliteRanges) -> None:
        self._connection, self._ranges = connection, ranges

    def logs(self) -> Sequence[LogRow]:
        return list(
            self._rows(
                LogRow, _LOG_COLUMNS, f"select {columns_of(LogRow)} from log order by log_id"
            )
        )

    def ranges(self, log_id: int, ranges: Iterable[SeqRange]) -> Generator[RangeFindings]:
        # Every process has a snapshot of its own, none older than this one, and is asked for
        # entries that this one has: what was appended since is in no range.
        return read_ranges(self._ranges, log_id, ranges)

    def tree_size(self, log_id: int) -> int:
        sql = f"select tree_size from batch where log_id = {log_id} order by batch_no desc limit 1"
        size = next(self._stream(sql), (0,))[0]
        return size if isinstance(size, int) else 0

    def entry_outside(self, log_id: int, size: int) -> int | None:
        of = f"select min(seq) from entry where log_id = {log_id} and"
        lowest = [
            seq for cut in ("< 0", f">= {size}") for (seq,) in self._stream(f"{of} seq {cut}")
        ]
        return min((seq for seq in lowest if seq is not None), default=None)

    def batches(self, log_id: int, first: int = 0) -> Iterator[tuple[BatchRow, bytes]]:
        columns = (*BATCH_COLUMNS, ("batch_hash", "bytea"))
        for row in self._stream(
            f"select {columns_of(BatchRow)}, batch_hash from batch {_from_batch(log_id, first)}"
        ):
            _check_types(columns, row)
            yield BatchRow(*row[:-1]), row[-1]

    def partitions(self, log_id: int, first: int = 0) -> Iterator[PartitionRow]:
        sql = f"select {columns_of(PartitionRow)} from batch_partition {_from_batch(log_id, first)}"
        return self._rows(PartitionRow, PARTITION_COLUMNS, sql)

    def redeliveries(self, log_id: int, first: int = 0) -> Iterator[RedeliveryRow]:
        sql = f"select {columns_of(RedeliveryRow)} from redelivery {_from_batch(log_id, first)}"
        return self._rows(RedeliveryRow, REDELIVERY_COLUMNS, sql)

    def tiles(self, log_id: int, level: int, first: int = 0) -> Iterator[TileRow]:
        return self._rows(
            TileRow,
            _TILE_COLUMNS,
            f"select {columns_of(TileRow)} from tile where log_id = {log_id} and level = {level}"
            f" and (tile_no >= {first} or tile_no < 0) order by tile_no",
        )

    def tile_levels(self, log_id: int) -> Sequence[int]:
        sql = f"select distinct level from tile where log_id = {log_id}"
        return sorted(level for (level,) in self._stream(sql))

    def checkpoints(self, log_id: int) -> Iterator[CheckpointRow]:
        return self._rows(
            CheckpointRow,
            _CHECKPOINT_COLUMNS,
            f"select {columns_of(CheckpointRow)} from checkpoint where log_id = {log_id}"
            " order by checkpoint_no",
        )

    def heads(self, log_id: int) -> Iterator[HeadRow]:
        return self._rows(
            HeadRow,
            _HEAD_COLUMNS,
            f"select {columns_of(HeadRow)} from procedure_head where log_id = {log_id}"
            " order by tree_size, signed_us",
        )

    def topics(self) -> Mapping[int, tuple[StoredTopic, int]]:
        rows = self._stream("select topic_id, cluster_id, topic_uuid, name, created_us from topic")
        return {
            topic_id: (StoredTopic(topic_id, cluster_id, UUID(bytes=topic_uuid), name), created_us)
            for topic_id, cluster_id, topic_uuid, name, created_us in rows
        }

    def schemas(self) -> Mapping[bytes, tuple[StoredSchema, int]]:
        rows = self._stream(f"select {columns_of(StoredSchema)}, created_us from schema")
        return {row[0]: (StoredSchema(*row[:-1]), row[-1]) for row in rows}

    def foreign_table(self, log_count: int) -> str | None:
        for table in TABLES_OF_A_LOG:
            # Two look-ups in an index where there is one that begins with log_id.
            ((low,),) = self._stream(f"select min(log_id) from {table}")
            ((high,),) = self._stream(f"select max(log_id) from {table}")
            # The file's own declarations, NOT NULL among them, are anybody's who can write it.
            ((none,),) = self._stream(f"select exists (select 1 from {table} where log_id is null)")
            if none or (
                low is not None
                and not (
                    isinstance(low, int) and isinstance(high, int) and 1 <= low <= high <= log_count
                )
            ):
                return table
        return None

    def damage_check(self) -> AbstractContextManager[Damage]:
        return integrity_check(self._ranges.file)

    def _rows(self, kind: type[Row], columns: Sequence[tuple[str, str]], sql: str) -> Iterator[Row]:
        for row in self._stream(sql):
            _check_types(columns, row)
            yield kind(*row)

    def _stream(self, sql: str) -> Iterator[Any]:
        try:
            # No "yield from": it would close the cursor, late, of a connection that is closed.
            for row in self._connection.execute(sql):  # noqa: UP028
                yield row
        except sqlite3.Error as error:
            raise Unreadable(f"{error!s:.200}") from error  # it may quote a whole value


def _from_batch(log_id: int, first: int) -> str:
    return f"where log_id = {log_id} and (batch_no >= {first} or batch_no < 0) order by batch_no"


def _check_types(columns: Sequence[tuple[str, str]], row: Sequence[object]) -> None:
    """STRICT holds when a row is written: a damaged page gives any type back."""
    try:
        pack_fields(columns, row)
    except BatchRefused as error:
        raise Unreadable(str(error)) from error
