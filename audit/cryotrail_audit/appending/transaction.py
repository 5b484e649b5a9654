"""What an append needs of its database, inside one transaction that holds the append lock.

How entries are numbered and what becomes of a record is not in here, but in
:mod:`cryotrail_audit.appending.append`, once for both databases.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from cryotrail_audit.batch_chain import NO_BATCH, BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.errors import LogMissing
from cryotrail_audit.proofs.tiles import Tile
from cryotrail_audit.records import IncomingRecord


class LogEnd(NamedTuple):
    """The log as the last transaction left it."""

    log_id: int
    batch_no: int
    """-1 before the first batch."""
    tree_size: int
    frontier: bytes
    recorded_us: int
    batch_hash: bytes

    @classmethod
    def of_row(cls, row: Sequence[Any] | None) -> LogEnd:
        """The end from ``log_id`` and the columns of the newest batch, null before the first.

        :raises LogMissing: there is no log.
        """
        if row is None:
            raise LogMissing
        log_id, *batch = row
        return cls(log_id, -1, 0, b"", 0, NO_BATCH) if batch[0] is None else cls(log_id, *batch)


class PartitionState(NamedTuple):
    """Who may append to a partition, and how far it is recorded."""

    epoch: int | None
    owner: str | None
    incarnation: int | None
    next_offset: int | None


class KnownEntry(NamedTuple):
    """An entry with the event id of an incoming record."""

    event_id: bytes
    log_id: int
    kind: int
    seq: int
    """As it is stored; :func:`~cryotrail_audit.appending.append.append` makes it the entry's place."""
    content_hash: bytes
    schema_sha256: bytes | None
    raw: bytes | None


class NumberedEntries(NamedTuple):
    """Entries ready to be written, as columns of equal length."""

    stamps: Sequence[tuple[int, int, int, int | None, int, int]]
    """``log_id`` to ``recorded_us`` of each."""
    records: Sequence[IncomingRecord]
    heads: Sequence[bytes]
    """The stamps in framing 1."""
    tails: Sequence[bytes]
    """The records in framing 1."""
    leaf_hashes: Sequence[bytes]


class AppendTransaction(Protocol):
    """One transaction, alone in holding the append lock; everything read is committed."""

    @property
    def connection(self) -> Connection:
        """The same transaction for statements that are not in here."""
        ...

    @property
    def server_us(self) -> int | None:
        """The database server's clock when the lock was taken; None = it has none of its own."""
        ...

    def log_end(self) -> LogEnd:
        """The end of the newest log."""
        ...

    def partition_states(
        self, partitions: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], PartitionState]:
        """The state of each (topic_id, part)."""
        ...

    def known_entries(self, event_ids: Sequence[bytes]) -> Sequence[KnownEntry]:
        """All entries of kinds 0 to 2 with one of these ids, in the order of the store."""
        ...

    def highest_entry_nos(self, procedure_ids: Collection[bytes]) -> dict[bytes, int]:
        """The highest ``procedure_entry_no`` of each procedure that has one."""
        ...

    def insert_entries(self, entries: NumberedEntries) -> None:
        """Write the entries."""
        ...

    def insert_redeliveries(self, rows: Sequence[RedeliveryRow]) -> None:
        """Write the redeliveries."""
        ...

    def tile_hashes(self, log_id: int, level: int, first: int, end: int) -> Sequence[bytes]:
        """The hashes ``first`` to ``end - 1`` of a level of tiles, where no tile holds them yet.

        At level 0 the leaf hashes of entries, above it the roots of the tiles one level below.
        """
        ...

    def insert_tiles(self, log_id: int, tiles: Sequence[Tile]) -> None:
        """Write tiles that are full."""
        ...

    def insert_batch(
        self, batch: BatchRow, batch_hash: bytes, partitions: Sequence[PartitionRow]
    ) -> None:
        """Write the batch row and its positions."""
        ...


class AppendDatabase(Protocol):
    """Opens append transactions."""

    def transaction(self) -> AbstractContextManager[AppendTransaction]:
        """Take the lock; commit when the block ends, roll back when it raises."""
        ...
