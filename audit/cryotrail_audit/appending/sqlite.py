"""The append transaction on SQLite: BEGIN IMMEDIATE, and executemany on the driver's connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine

from cryotrail_audit.appending.transaction import (
    KnownEntry,
    LogEnd,
    NumberedEntries,
    PartitionState,
)
from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.databases import IMMEDIATE
from cryotrail_audit.proofs.tiles import Tile
from cryotrail_audit.records import Entry

# SQLite keeps 128 compiled statements a connection; a long list costs one of them.
_IN_LIST: Final = 500

_LOG_END = """
select l.log_id, b.batch_no, b.tree_size, b.frontier, b.recorded_us, b.batch_hash
from log l left join batch b
  on b.log_id = l.log_id and b.batch_no = (select max(batch_no) from batch where log_id = l.log_id)
where l.log_id = (select max(log_id) from log)
"""
_CLAIM = """
select epoch, owner from claim
where log_id = (select max(log_id) from log) and topic_id = ? and part = ?
order by epoch desc limit 1
"""
_POSITION = """
select incarnation, next_offset from batch_partition where topic_id = ? and part = ?
order by log_id desc, batch_no desc, incarnation desc limit 1
"""
# Each look-up repeats the condition of the partial index that it is to use.
_KNOWN = """
select event_id, log_id, kind, seq, content_hash, schema_sha256, raw from entry
where kind = 0 and event_id in ({marks})
union all
select event_id, log_id, kind, seq, content_hash, schema_sha256, raw from entry
where kind > 0 and kind < 3 and event_id in ({marks})
order by log_id, seq
"""
_HIGHEST_ENTRY_NO = """
select max(procedure_entry_no) from entry
where procedure_id = ? and procedure_entry_no is not null
"""
_LEAF_HASHES = """
select leaf_hash from entry where log_id = ? and seq >= ? and seq < ? order by seq
"""
_TILE_ROOTS = """
select root from tile where log_id = ? and level = ? and tile_no >= ? and tile_no < ?
order by tile_no
"""


def _insert(table: str, columns: int) -> str:
    # "or rollback": see the triggers in v0001_append_only.sqlite.sql.
    return f"insert or rollback into {table} values ({', '.join('?' * columns)})"


_INSERT_ENTRY = _insert("entry", len(Entry._fields))
_INSERT_REDELIVERY = _insert("redelivery", len(RedeliveryRow._fields))
_INSERT_TILE = _insert("tile", len(Tile._fields) + 1)
_INSERT_BATCH = _insert("batch", len(BatchRow._fields) + 1)
_INSERT_PARTITION = _insert("batch_partition", len(PartitionRow._fields))


class SqliteAppends:
    """Append transactions on one SQLite file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**IMMEDIATE)

    @contextmanager
    def transaction(self) -> Iterator[SqliteAppendTransaction]:
        """BEGIN IMMEDIATE is the lock: it waits for the other writer."""
        with self._engine.begin() as connection:
            yield SqliteAppendTransaction(connection)


class SqliteAppendTransaction:
    """See :class:`~cryotrail_audit.appending.transaction.AppendTransaction`."""

    server_us = None

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._driver = cast(sqlite3.Connection, connection.connection.driver_connection)

    def log_end(self) -> LogEnd:
        return LogEnd.of_row(self._driver.execute(_LOG_END).fetchone())

    def partition_states(
        self, partitions: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], PartitionState]:
        nothing = (None, None)
        return {
            partition: PartitionState(
                *(self._driver.execute(_CLAIM, partition).fetchone() or nothing),
                *(self._driver.execute(_POSITION, partition).fetchone() or nothing),
            )
            for partition in partitions
        }

    def known_entries(self, event_ids: Sequence[bytes]) -> Sequence[KnownEntry]:
        found: list[Any] = []
        for start in range(0, len(event_ids), _IN_LIST):
            chunk = event_ids[start : start + _IN_LIST]
            sql = _KNOWN.format(marks=", ".join("?" * len(chunk)))
            found += self._driver.execute(sql, (*chunk, *chunk))
        return [KnownEntry(*row) for row in found]

    def highest_entry_nos(self, procedure_ids: Collection[bytes]) -> dict[bytes, int]:
        highest = {}
        for procedure_id in procedure_ids:
            row = self._driver.execute(_HIGHEST_ENTRY_NO, (procedure_id,)).fetchone()
            if row[0] is not None:
                highest[procedure_id] = row[0]
        return highest

    def insert_entries(self, entries: NumberedEntries) -> None:
        self._driver.executemany(
            _INSERT_ENTRY,
            (
                stamp + record + (leaf_hash,)
                for stamp, record, leaf_hash in zip(
                    entries.stamps, entries.records, entries.leaf_hashes, strict=True
                )
            ),
        )

    def insert_redeliveries(self, rows: Sequence[RedeliveryRow]) -> None:
        self._driver.executemany(_INSERT_REDELIVERY, rows)

    def tile_hashes(self, log_id: int, level: int, first: int, end: int) -> Sequence[bytes]:
        if level == 0:
            rows = self._driver.execute(_LEAF_HASHES, (log_id, first, end))
        else:
            rows = self._driver.execute(_TILE_ROOTS, (log_id, level - 1, first, end))
        return [row[0] for row in rows]

    def insert_tiles(self, log_id: int, tiles: Sequence[Tile]) -> None:
        self._driver.executemany(_INSERT_TILE, ((log_id, *tile) for tile in tiles))

    def insert_batch(
        self, batch: BatchRow, batch_hash: bytes, partitions: Sequence[PartitionRow]
    ) -> None:
        self._driver.execute(_INSERT_BATCH, (*batch, batch_hash))
        self._driver.executemany(_INSERT_PARTITION, partitions)
