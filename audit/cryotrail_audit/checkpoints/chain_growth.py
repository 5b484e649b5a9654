"""The batches that came since: their chain followed, with positions and redeliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from cryotrail_audit.batch_chain import NO_BATCH, BatchRow, PartitionRow, RedeliveryRow, batch_hash
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.memory import Memory
from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.evidence import Evidence

FORK_HINT: Final = (
    "keep the database as it is and compare it with a checkpoint that was kept outside"
)
"""What to do about a log that contradicts what was signed."""


class ChainedBatch(NamedTuple):
    """A batch row whose place in the chain, positions and redeliveries were checked."""

    batch_no: int
    tree_size: int
    root: bytes
    """As the store has it: its entries are still to be hashed."""
    recorded_us: int
    batch_hash: bytes


def new_batches(
    memory: Memory, evidence: Evidence, log_id: int, through: int | None
) -> list[ChainedBatch]:
    """The batches behind the remembered ones, their chain followed.

    :param through: how many batches to go up to; all when None.
    :raises SigningRefused: the remembered batch is not the one that it was, or a link is broken.
    :raises Unreadable: a row cannot be read.
    """
    first = max(0, memory.batch_count - 1)
    rows = evidence.batches(log_id, first)
    partitions = _by_batch(evidence.partitions(log_id, first))
    redeliveries = _by_batch(evidence.redeliveries(log_id, first))
    found: list[ChainedBatch] = []
    previous: tuple[int, int, int, bytes] = (
        memory.batch_count - 1,
        memory.size,
        memory.recorded_us,
        memory.batch_hash,
    )
    is_past = memory.batch_count > 0
    for row, stored_hash in rows:
        parts, again = partitions(row.batch_no), redeliveries(row.batch_no)
        if is_past:
            is_past = False
            _check_past(memory, row, stored_hash)
            continue
        if through is not None and row.batch_no >= through:
            break
        _check_link(previous, row)
        if _hash_of(row, parts, again) != stored_hash:
            raise SigningRefused(
                f"batch {row.batch_no}: its row, a position or a redelivery of it was changed"
                " after it was recorded",
                hint=FORK_HINT,
            )
        found.append(
            ChainedBatch(row.batch_no, row.tree_size, row.root, row.recorded_us, stored_hash)
        )
        previous = (row.batch_no, row.tree_size, row.recorded_us, stored_hash)
    if is_past:
        raise _shorter(memory)
    if through is not None and previous[0] + 1 < through:
        raise SigningRefused(
            f"the store has {previous[0] + 1} batches, {through} were signed", hint=FORK_HINT
        )
    return found


def check_known_batches(
    memory: Memory, batches: Sequence[ChainedBatch], known: Mapping[int, bytes]
) -> None:
    """The chain passes through hashes that are known from elsewhere.

    :param batches: those behind the remembered ones.
    :param known: the hash of the last batch, by how many batches there are.
    :raises SigningRefused: it does not.
    """
    hashes = {0: NO_BATCH, memory.batch_count: memory.batch_hash}
    hashes |= {batch.batch_no + 1: batch.batch_hash for batch in batches}
    for count, expected in known.items():
        if hashes.get(count) != expected:
            raise SigningRefused(
                f"the chain over the batches is another one at batch {count} than what was signed:"
                " a position or a redelivery was changed, or the log was rolled back or rebuilt",
                hint=FORK_HINT,
            )


def _check_past(memory: Memory, row: BatchRow, stored_hash: bytes) -> None:
    """The last remembered batch is still what it was."""
    if row.batch_no != memory.batch_count - 1:
        raise _shorter(memory)
    checkpoint = memory.checkpoint
    if (row.tree_size, row.root, stored_hash) != (
        checkpoint.size,
        checkpoint.root,
        memory.batch_hash,
    ):
        raise SigningRefused(
            f"batch {row.batch_no} is not the one that was signed: at size {checkpoint.size} the"
            " log had another root or other batches before; it was forked or rebuilt",
            hint=FORK_HINT,
        )


def _check_link(previous: tuple[int, int, int, bytes], row: BatchRow) -> None:
    batch_no, size, recorded_us, previous_hash = previous
    if (row.batch_no, row.first_seq, row.prev_hash) != (batch_no + 1, size, previous_hash):
        raise SigningRefused(f"batch {batch_no + 1} does not follow the batch before it")
    if row.tree_size < size or row.recorded_us < recorded_us:
        raise SigningRefused(f"batch {row.batch_no} goes back in size or in time")


def _shorter(memory: Memory) -> SigningRefused:
    return SigningRefused(
        f"the log is shorter than what was signed: {memory.size} entries in"
        f" {memory.batch_count} batches; it was rolled back",
        hint=f"{FORK_HINT}. After a restore from a backup: cryotrail audit continue --from CHECKPOINT",
    )


def _hash_of(
    row: BatchRow, partitions: Sequence[PartitionRow], redeliveries: Sequence[RedeliveryRow]
) -> bytes | None:
    try:
        return batch_hash(row, partitions, redeliveries)
    except BatchRefused:
        return None  # a value that no column of ours can hold


Row = TypeVar("Row", PartitionRow, RedeliveryRow)


def _by_batch(rows: Iterator[Row]) -> Callable[[int], list[Row]]:
    """A function that takes the rows of a batch; batches are asked for in their order."""
    waiting: list[Row] = []

    def take(batch_no: int) -> list[Row]:
        taken: list[Row] = []
        while (row := waiting.pop() if waiting else next(rows, None)) is not None:
            if row.batch_no > batch_no:
                waiting.append(row)
                break
            if row.batch_no == batch_no:
                taken.append(row)
        return taken

    return take
