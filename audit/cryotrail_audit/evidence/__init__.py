"""The store as a verifier reads it: every byte of one moment, and nothing that was computed.

The verifier trusts the bytes that come back, no hash and no count that the database offers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol

from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow
from cryotrail_audit.evidence.range import RangeFindings, SeqRange
from cryotrail_audit.records import StoredSchema, StoredTopic

TABLES_OF_A_LOG: Final = (
    "entry",
    "batch",
    "batch_partition",
    "claim",
    "redelivery",
    "tile",
    "checkpoint",
    "procedure_head",
)
"""The tables whose rows name the log that they belong to."""


class Unreadable(Exception):
    """The next row cannot be read, or holds what its column cannot hold."""


class LogRow(NamedTuple):
    """A row of ``log``."""

    log_id: int
    origin: str
    continues: str | None


class TileRow(NamedTuple):
    """A row of ``tile``."""

    level: int
    tile_no: int
    root: bytes
    hashes: bytes


class CheckpointRow(NamedTuple):
    """A row of ``checkpoint``."""

    checkpoint_no: int
    origin: str
    tree_size: int
    root: bytes
    note: bytes
    signed_us: int


class HeadRow(NamedTuple):
    """A row of ``procedure_head``."""

    procedure_id: bytes
    tree_size: int
    entry_count: int
    leaves_hash: bytes
    note: bytes
    signed_us: int


Damage = Callable[[], str | None]
"""Waits for what the database finds damaged; None = nothing, or it cannot be asked."""


class Evidence(Protocol):
    """All rows in one snapshot; whatever is committed meanwhile is not in it.

    Every call and every iteration may raise :class:`Unreadable`.
    """

    def logs(self) -> Sequence[LogRow]:
        """The logs that the store has, by ``log_id``."""
        ...

    def ranges(self, log_id: int, ranges: Iterable[SeqRange]) -> Generator[RangeFindings]:
        """What the entries of each range give, hashed from their columns, in the order given.

        Ranges may be read ahead of what has been asked for, and by several processes.
        """
        ...

    def tree_size(self, log_id: int) -> int:
        """How many entries the last batch row says that there are; to plan by, not to believe."""
        ...

    def entry_outside(self, log_id: int, size: int) -> int | None:
        """The lowest ``seq`` of an entry that is negative, or ``size`` and above."""
        ...

    def batches(self, log_id: int, first: int = 0) -> Iterator[tuple[BatchRow, bytes]]:
        """All batch rows from a ``batch_no`` on, each with its ``batch_hash``; negative ones too.

        In the order of ``batch_no``.
        """
        ...

    def partitions(self, log_id: int, first: int = 0) -> Iterator[PartitionRow]:
        """All positions from a ``batch_no`` on, in its order."""
        ...

    def redeliveries(self, log_id: int, first: int = 0) -> Iterator[RedeliveryRow]:
        """All redeliveries from a ``batch_no`` on, in its order."""
        ...

    def tiles(self, log_id: int, level: int, first: int = 0) -> Iterator[TileRow]:
        """All tiles of a level from a ``tile_no`` on, in its order."""
        ...

    def tile_levels(self, log_id: int) -> Sequence[int]:
        """The levels that have tiles."""
        ...

    def checkpoints(self, log_id: int) -> Iterator[CheckpointRow]:
        """All checkpoints by ``checkpoint_no``."""
        ...

    def heads(self, log_id: int) -> Iterator[HeadRow]:
        """All procedure heads by ``tree_size``, those of one size by ``signed_us``."""
        ...

    def topics(self) -> Mapping[int, tuple[StoredTopic, int]]:
        """All topics, each with ``created_us``."""
        ...

    def schemas(self) -> Mapping[bytes, tuple[StoredSchema, int]]:
        """All schemas, each with ``created_us``."""
        ...

    def foreign_table(self, log_count: int) -> str | None:
        """A table with a row whose ``log_id`` is not 1 to ``log_count``, if there is one."""
        ...

    def damage_check(self) -> AbstractContextManager[Damage]:
        """Ask the database for damage to what no row is read from, such as its indexes.

        It looks while the block goes on, and ends with it.
        """
        ...


class EvidenceDatabase(Protocol):
    """Opens evidence."""

    def evidence(self) -> AbstractContextManager[Evidence]:
        """A snapshot for reading; it writes nothing."""
        ...


class RangeReader(Protocol):
    """Reads ranges of entries, in this process or in one of its own."""

    def read(self, log_id: int, of: SeqRange) -> RangeFindings:
        """What the entries of a range give; never raises for what it finds."""
        ...

    def close(self) -> None:
        """Close the connection that it opened."""
        ...


class RangeSource(Protocol):
    """How a process gets its reader; travels to it as a pickle."""

    def open(self) -> RangeReader:
        """Connect to the snapshot, or to the same store."""
        ...


def columns_of(row: type[Any]) -> str:
    """The fields of a row class as a list of columns."""
    return ", ".join(row._fields)
