"""Evidence from PostgreSQL: one exported snapshot, in which every connection reads the same rows."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import Engine

from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.evidence import (
    TABLES_OF_A_LOG,
    CheckpointRow,
    Damage,
    HeadRow,
    LogRow,
    TileRow,
    columns_of,
)
from cryotrail_audit.evidence.copy import PostgresqlRanges, readable
from cryotrail_audit.evidence.processes import read_ranges
from cryotrail_audit.evidence.range import RangeFindings, SeqRange
from cryotrail_audit.records import StoredSchema, StoredTopic

Row = TypeVar("Row", bound=NamedTuple)


class PostgresqlEvidenceDatabase:
    """See :class:`~cryotrail_audit.evidence.EvidenceDatabase`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def evidence(self) -> Iterator[PostgresqlEvidence]:
        with closing(self._engine.raw_connection()) as pooled:
            connection = cast(psycopg.Connection, pooled.driver_connection)
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                row = connection.execute("select pg_export_snapshot()").fetchone()
                assert row is not None
                _, arguments = self._engine.dialect.create_connect_args(self._engine.url)
                del arguments["context"]  # adapters, which do not travel to other processes
                yield PostgresqlEvidence(connection, PostgresqlRanges(arguments, row[0]))
            finally:
                pooled.invalidate()  # it is set up for reading alone


class PostgresqlEvidence:
    """See :class:`~cryotrail_audit.evidence.Evidence`."""

    def __init__(self, connection: psycopg.Connection, ranges: PostgresqlRanges) -> None:
        self._connection, self._ranges = connection, ranges

    def logs(self) -> Sequence[LogRow]:
        rows = self._fetched("select log_id, origin, continues from audit.log order by log_id")
        return [LogRow(*row) for row in rows]

    def ranges(self, log_id: int, ranges: Iterable[SeqRange]) -> Generator[RangeFindings]:
        return read_ranges(self._ranges, log_id, ranges)

    def tree_size(self, log_id: int) -> int:
        rows = self._fetched(
            f"select tree_size from audit.batch where log_id = {log_id}"
            " order by batch_no desc limit 1"
        )
        return int(rows[0][0]) if rows else 0

    def entry_outside(self, log_id: int, size: int) -> int | None:
        of = f"from audit.entry where log_id = {log_id} and"
        ((seq,),) = self._fetched(
            f"select least((select min(seq) {of} seq < 0), (select min(seq) {of} seq >= {size}))"
        )
        return None if seq is None else int(seq)

    def batches(self, log_id: int, first: int = 0) -> Iterator[tuple[BatchRow, bytes]]:
        for row in self._stream(
            "batches",
            f"select {columns_of(BatchRow)}, batch_hash from audit.batch"
            f" where log_id = {log_id} and (batch_no >= {first} or batch_no < 0) order by batch_no",
        ):
            yield BatchRow(*row[:-1]), row[-1]

    def partitions(self, log_id: int, first: int = 0) -> Iterator[PartitionRow]:
        return self._by_batch("batch_partition", PartitionRow, log_id, first)

    def redeliveries(self, log_id: int, first: int = 0) -> Iterator[RedeliveryRow]:
        return self._by_batch("redelivery", RedeliveryRow, log_id, first)

    def tiles(self, log_id: int, level: int, first: int = 0) -> Iterator[TileRow]:
        for row in self._stream(
            f"tiles_{level}",
            f"select {columns_of(TileRow)} from audit.tile where log_id = {log_id}"
            f" and level = {level} and (tile_no >= {first} or tile_no < 0) order by tile_no",
            rows=64,
        ):
            yield TileRow(*row)

    def tile_levels(self, log_id: int) -> Sequence[int]:
        rows = self._fetched(f"select distinct level from audit.tile where log_id = {log_id}")
        return sorted(level for (level,) in rows)

    def checkpoints(self, log_id: int) -> Iterator[CheckpointRow]:
        for row in self._stream(
            "checkpoints",
            f"select {columns_of(CheckpointRow)} from audit.checkpoint"
            f" where log_id = {log_id} order by checkpoint_no",
        ):
            yield CheckpointRow(*row)

    def heads(self, log_id: int) -> Iterator[HeadRow]:
        columns = columns_of(HeadRow).replace("procedure_id", "uuid_send(procedure_id)", 1)
        for row in self._stream(
            "heads",
            f"select {columns} from audit.procedure_head where log_id = {log_id}"
            " order by tree_size, signed_us",
        ):
            yield HeadRow(*row)

    def topics(self) -> Mapping[int, tuple[StoredTopic, int]]:
        rows = self._fetched(
            "select topic_id, cluster_id, topic_uuid, name, created_us from audit.topic"
        )
        return {
            topic_id: (StoredTopic(topic_id, cluster_id, UUID(str(topic_uuid)), name), created_us)
            for topic_id, cluster_id, topic_uuid, name, created_us in rows
        }

    def schemas(self) -> Mapping[bytes, tuple[StoredSchema, int]]:
        rows = self._fetched(f"select {columns_of(StoredSchema)}, created_us from audit.schema")
        return {row[0]: (StoredSchema(*row[:-1]), row[-1]) for row in rows}

    def foreign_table(self, log_count: int) -> str | None:
        # Lowest and highest, from the keys: a condition would read every row.
        for table in TABLES_OF_A_LOG:
            ((low, high, none),) = self._fetched(
                f"select (select min(log_id) from audit.{table}),"
                f" (select max(log_id) from audit.{table}),"
                f" exists (select 1 from audit.{table} where log_id is null)"
            )
            if none or (low is not None and not 1 <= low <= high <= log_count):
                return table
        return None

    def damage_check(self) -> AbstractContextManager[Damage]:
        # Only the extension amcheck looks at indexes, and it is seldom installed.
        return nullcontext(lambda: None)

    def _fetched(self, sql: str) -> list[tuple[Any, ...]]:
        with readable():
            return self._connection.execute(sql.encode()).fetchall()

    def _stream(self, name: str, sql: str, rows: int = 2000) -> Iterator[Any]:
        with readable(), self._connection.cursor(name=name, binary=True) as cursor:
            cursor.itersize = rows
            cursor.execute(sql.encode())
            yield from cursor

    def _by_batch(self, table: str, kind: type[Row], log_id: int, first: int) -> Iterator[Row]:
        sql = (
            f"select {columns_of(kind)} from audit.{table} where log_id = {log_id}"
            f" and (batch_no >= {first} or batch_no < 0) order by batch_no"
        )
        return (kind(*row) for row in self._stream(table, sql))
