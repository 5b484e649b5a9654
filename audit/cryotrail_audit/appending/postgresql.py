"""The append transaction on PostgreSQL: an advisory lock, and COPY BINARY of rows packed by us."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, cast

import psycopg
from sqlalchemy import Connection, Engine

from cryotrail_audit.appending.lock import take_append_lock
from cryotrail_audit.appending.transaction import (
    KnownEntry,
    LogEnd,
    NumberedEntries,
    PartitionState,
)
from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.framing import HASH_LENGTH
from cryotrail_audit.proofs.tiles import Tile
from cryotrail_audit.records import Entry

_LOG_END = """
select l.log_id, b.batch_no, b.tree_size, b.frontier, b.recorded_us, b.batch_hash
from audit.log l left join lateral (
  select * from audit.batch where log_id = l.log_id order by batch_no desc limit 1
) b on true
order by l.log_id desc limit 1
"""
_PARTITION_STATES = """
select p.topic_id, p.part, c.epoch, c.owner, b.incarnation, b.next_offset
from unnest(%s::integer[], %s::integer[]) p (topic_id, part)
left join lateral (
  select epoch, owner from audit.claim
  where log_id = (select max(log_id) from audit.log)
    and topic_id = p.topic_id and part = p.part
  order by epoch desc limit 1
) c on true
left join lateral (
  select incarnation, next_offset from audit.batch_partition
  where topic_id = p.topic_id and part = p.part
  order by log_id desc, batch_no desc, incarnation desc limit 1
) b on true
"""
# Each look-up repeats the condition of the partial index that it is to use.
_KNOWN = """
select uuid_send(event_id), log_id, kind, seq, content_hash, schema_sha256, raw from audit.entry
where kind = 0 and event_id = any(%s::uuid[])
union all
select uuid_send(event_id), log_id, kind, seq, content_hash, schema_sha256, raw from audit.entry
where kind > 0 and kind < 3 and event_id = any(%s::uuid[])
order by log_id, seq
"""
# A scalar subquery a procedure ends at the first index row; group by would read them all.
_HIGHEST_ENTRY_NOS = """
select uuid_send(p), (
  select max(procedure_entry_no) from audit.entry
  where procedure_id = p and procedure_entry_no is not null
)
from unnest(%s::uuid[]) p
"""
_LEAF_HASHES = """
select leaf_hash from audit.entry where log_id = %s and seq >= %s and seq < %s order by seq
"""
_TILE_ROOTS = """
select root from audit.tile where log_id = %s and level = %s and tile_no >= %s and tile_no < %s
order by tile_no
"""
_INSERT_TILE = "insert into audit.tile values (%s, %s, %s, %s, %s)"
_INSERT_BATCH = "insert into audit.batch values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_INSERT_PARTITION = "insert into audit.batch_partition values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_COPY_ENTRIES = f"copy audit.entry ({', '.join(Entry._fields)}) from stdin (format binary)"
_COPY_REDELIVERIES = f"copy audit.redelivery ({', '.join(RedeliveryRow._fields)}) from stdin"

# https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"
_COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER: Final = b"\xff\xff"
_COLUMN_COUNT: Final = len(Entry._fields).to_bytes(2, "big")


class PostgresqlAppends:
    """Append transactions on one PostgreSQL database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[PostgresqlAppendTransaction]:
        """Waits for the lock as long as the connection's ``lock_timeout`` says."""
        with self._engine.begin() as connection:
            transaction = PostgresqlAppendTransaction(connection)
            transaction.lock()
            yield transaction


class PostgresqlAppendTransaction:
    """See :class:`~cryotrail_audit.appending.transaction.AppendTransaction`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._driver = cast(psycopg.Connection, connection.connection.driver_connection)
        self._cursor = self._driver.cursor(binary=True)
        self.server_us: int | None = None

    def lock(self) -> None:
        """Take the append lock; it is held until the transaction ends.

        :raises StoreBusy, StoreUnsafe: see :func:`take_append_lock`.
        """
        self.server_us = take_append_lock(self._driver)

    def log_end(self) -> LogEnd:
        return LogEnd.of_row(self._cursor.execute(_LOG_END).fetchone())

    def partition_states(
        self, partitions: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], PartitionState]:
        topic_ids, parts = [p[0] for p in partitions], [p[1] for p in partitions]
        rows = self._cursor.execute(_PARTITION_STATES, (topic_ids, parts))
        return {(topic_id, part): PartitionState(*state) for topic_id, part, *state in rows}

    def known_entries(self, event_ids: Sequence[bytes]) -> Sequence[KnownEntry]:
        ids = _uuid_array(event_ids)
        return [KnownEntry(*row) for row in self._cursor.execute(_KNOWN, (ids, ids))]

    def highest_entry_nos(self, procedure_ids: Collection[bytes]) -> dict[bytes, int]:
        rows = self._cursor.execute(_HIGHEST_ENTRY_NOS, (_uuid_array(procedure_ids),))
        return {procedure_id: highest for procedure_id, highest in rows if highest is not None}

    def insert_entries(self, entries: NumberedEntries) -> None:
        parts = [_COPY_HEADER]
        for head, tail, leaf_hash in zip(
            entries.heads, entries.tails, entries.leaf_hashes, strict=True
        ):
            parts += (_COLUMN_COUNT, head, tail, HASH_LENGTH, leaf_hash)
        parts.append(_COPY_TRAILER)
        with self._cursor.copy(_COPY_ENTRIES) as copy:
            copy.write(b"".join(parts))

    def insert_redeliveries(self, rows: Sequence[RedeliveryRow]) -> None:
        with self._cursor.copy(_COPY_REDELIVERIES) as copy:
            for row in rows:
                copy.write_row(row)

    def tile_hashes(self, log_id: int, level: int, first: int, end: int) -> Sequence[bytes]:
        if level == 0:
            rows = self._cursor.execute(_LEAF_HASHES, (log_id, first, end))
        else:
            rows = self._cursor.execute(_TILE_ROOTS, (log_id, level - 1, first, end))
        return [row[0] for row in rows]

    def insert_tiles(self, log_id: int, tiles: Sequence[Tile]) -> None:
        self._cursor.executemany(_INSERT_TILE, [(log_id, *tile) for tile in tiles])

    def insert_batch(
        self, batch: BatchRow, batch_hash: bytes, partitions: Sequence[PartitionRow]
    ) -> None:
        self._cursor.execute(_INSERT_BATCH, (*batch, batch_hash))
        self._cursor.executemany(_INSERT_PARTITION, partitions)


def _uuid_array(uuids: Iterable[bytes]) -> str:
    """The text form of a ``uuid[]``: far cheaper to make than a UUID object each."""
    return "{" + ",".join(map(bytes.hex, uuids)) + "}"
