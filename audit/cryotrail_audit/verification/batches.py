"""The chain over the batches: each row with its positions and redeliveries, and the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from cryotrail_audit.batch_chain import (
    NO_BATCH,
    BatchRow,
    PartitionRow,
    RedeliveryRow,
    batch_hash,
)
from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.evidence import Evidence
from cryotrail_audit.evidence.range import Broken
from cryotrail_audit.verification.expected import Expectations, Expected

Row = TypeVar("Row", PartitionRow, RedeliveryRow)


class ChainEnd(NamedTuple):
    """The last batch of a chain."""

    batches: int
    """How many there are."""
    tree_size: int
    recorded_us: int
    batch_hash: bytes


NO_CHAIN = ChainEnd(0, 0, 0, NO_BATCH)


class BatchChain:
    """Follows the batches of one log; ``end`` is the last one that was as it should be."""

    def __init__(self, evidence: Evidence, log_id: int, known: ChainEnd = NO_CHAIN) -> None:
        """Begin behind a known end.

        :param known: the chain as it was verified before; its last row is read again.
        """
        self._evidence, self._log_id = evidence, log_id
        self.end = known
        self.expected = Expectations()
        self.tree_sizes: dict[int, int] = {0: 0}
        """How many entries there are at the sizes of the chain that something is expected at."""

    def expect(self, expected: Expected) -> None:
        """Expect a hash at a number of batches that is not below the known end."""
        self.tree_sizes.setdefault(expected.size, 0)
        self.expected.add(expected)
        self._reached()

    def follow(self, check_entries: Callable[[BatchRow], None]) -> None:
        """Check every batch, and the entries of each between its hash and the next batch.

        :raises Broken: the first thing that is not as it should be.
        """
        known = self.end.batches
        partitions = _ByBatch("batch_partition", self._evidence.partitions(self._log_id, known))
        redeliveries = _ByBatch("redelivery", self._evidence.redeliveries(self._log_id, known))
        for batch, stored_hash in self._rows(known):
            _check_link(self.end, batch)
            positions, again = partitions.take(batch.batch_no), redeliveries.take(batch.batch_no)
            try:
                computed = batch_hash(batch, positions, again)
            except BatchRefused:
                computed = None  # a value that no column of ours can hold
            if computed is None or computed != stored_hash:
                raise Broken(
                    batch.first_seq,
                    f"batch {batch.batch_no}: its row, a position or a redelivery of it was"
                    " changed after it was recorded",
                )
            check_entries(batch)
            self.end = ChainEnd(batch.batch_no + 1, batch.tree_size, batch.recorded_us, computed)
            self._reached()
        self.expected.end()
        if (seq := self._evidence.entry_outside(self._log_id, self.end.tree_size)) is not None:
            raise Broken(
                seq,
                f"entry {seq} stands behind the last batch: no append wrote it"
                if seq >= 0
                else f"entry {seq} stands before the first one: no append wrote it",
            )
        partitions.end()
        redeliveries.end()

    def _reached(self) -> None:
        if self.end.batches in self.tree_sizes:
            self.tree_sizes[self.end.batches] = self.end.tree_size
        self.expected.reached(self.end.batches, lambda: self.end.batch_hash)

    def _rows(self, known: int) -> Iterator[tuple[BatchRow, bytes]]:
        """The batches behind the known ones; the last known one must still be there."""
        rows = self._evidence.batches(self._log_id, max(known - 1, 0))
        if known:
            last = next(rows, None)
            if last is None or last[0].batch_no != known - 1 or last[1] != self.end.batch_hash:
                raise Broken(
                    None,
                    f"batch {known - 1} is not there any more as this verifier saw it: the log"
                    " was rolled back or rewritten",
                )
        return rows


class _ByBatch(Generic[Row]):
    """Rows of a table, taken batch by batch."""

    def __init__(self, table: str, rows: Iterator[Row]) -> None:
        self._table = table
        self._rows: Iterator[Row] = rows
        self._next: Row | None = next(rows, None)

    def take(self, batch_no: int) -> list[Row]:
        """The rows of the next batch."""
        taken = []
        while self._next is not None and self._next.batch_no <= batch_no:
            if self._next.batch_no < batch_no:
                self.end()
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken

    def end(self) -> None:
        """There must be no row left."""
        if self._next is not None:
            raise Broken(
                None, f"a {self._table} row belongs to batch {self._next.batch_no}, which is none"
            )


def _check_link(previous: ChainEnd, batch: BatchRow) -> None:
    """A batch row follows the one before it."""
    size = previous.tree_size
    if batch.batch_no != previous.batches:
        raise Broken(size, f"batch {previous.batches} is missing: {batch.batch_no} follows")
    if batch.prev_hash != previous.batch_hash or batch.first_seq != size:
        raise Broken(size, f"batch {previous.batches} does not follow the batch before it")
    if batch.tree_size < size or batch.recorded_us < previous.recorded_us:
        raise Broken(size, f"batch {previous.batches} goes back in size or in time")
