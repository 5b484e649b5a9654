"""How a log grew since it was hashed last: new rows from raw, on top of what is remembered.

Nothing that the store computed is believed. Each new entry is hashed from its columns, the own
frontier takes it, and the root that the store has for each batch must be the same; the chain over
the batches is followed with its positions and redeliveries. What was hashed before must still be
the past of what is there now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from cryotrail_audit.checkpoints.chain_growth import (
    FORK_HINT,
    ChainedBatch,
    check_known_batches,
    new_batches,
)
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.memory import Memory, ProcedureCount
from cryotrail_audit.evidence import Evidence, Unreadable
from cryotrail_audit.evidence.range import RangeFindings, ranges_of
from cryotrail_schemas.merkle import HASH_BYTES, Frontier

_AT_ONCE: Final = 1 << 16

Progress = Callable[[int], None]
"""Called with the number of entries hashed since the last call."""


def log_id_of(evidence: Evidence, origin: str) -> int:
    """The log of a name, which must be the newest of the store.

    :raises SigningRefused: the newest log has another name.
    """
    newest = evidence.logs()[-1:]
    if [log.origin for log in newest] != [origin]:
        found = newest[0].origin if newest else "none"
        raise SigningRefused(
            f"the log of the store is {found}, the one that was signed before is {origin}",
            hint="a log that continues another has a key and a memory of its own:"
            " cryotrail audit keys create, once the old ones are moved away and kept",
        )
    return newest[0].log_id


def grown(
    memory: Memory,
    evidence: Evidence,
    progress: Progress,
    *,
    known: Mapping[int, bytes] | None = None,
    known_batches: Mapping[int, bytes] | None = None,
    through_batches: int | None = None,
) -> Memory:
    """The memory with everything that was recorded since.

    :param known: sizes whose root is known from elsewhere; the log has to pass through them.
    :param known_batches: the same of the chain over the batches: the hash of the last batch, by
        how many there are.
    :param through_batches: how many batches to go up to; all when left out.
    :raises SigningRefused: the log is shorter than before, another one, or contradicts itself.
    """
    try:
        log_id = log_id_of(evidence, memory.origin)
        if log_id > 1 and memory.batch_count == 0:
            memory = replace(memory, procedures=_counted_before(evidence, log_id, progress))
        batches = new_batches(memory, evidence, log_id, through_batches)
        end = batches[-1].tree_size if batches else memory.size
        findings = evidence.ranges(log_id, ranges_of(memory.size, end))
        found = _extended(memory, batches, _Leaves(findings, progress), dict(known or {}))
        # After the tree, which tells more of what was changed.
        check_known_batches(memory, batches, known_batches or {})
        return found
    except Unreadable as error:
        raise SigningRefused(f"the store cannot be read: {error}", hint=FORK_HINT) from error


def _counted_before(
    evidence: Evidence, log_id: int, progress: Progress
) -> Mapping[bytes, ProcedureCount]:
    """What procedures have in the logs that this one continues: their numbers go on in it."""
    procedures: dict[bytes, ProcedureCount] = {}
    for earlier in range(1, log_id):
        size = evidence.tree_size(earlier)
        leaves = _Leaves(evidence.ranges(earlier, ranges_of(0, size)), progress)
        for first in range(0, size, _AT_ONCE):
            leaves.take(min(_AT_ONCE, size - first), procedures)
        procedures |= leaves.procedures
    return procedures


class _Leaves:
    """The leaf hashes of new entries one after another, and what they say of procedures."""

    def __init__(self, findings: Iterator[RangeFindings], progress: Progress) -> None:
        self._findings, self._progress = findings, progress
        self._hashes: Iterator[bytes] = iter(())
        self.procedures: dict[bytes, ProcedureCount] = {}

    def take(self, count: int, before: Mapping[bytes, ProcedureCount]) -> list[bytes]:
        """The next leaf hashes."""
        taken = list(islice(self._hashes, count))
        while len(taken) < count:
            findings = next(self._findings, None)
            if findings is None:
                raise SigningRefused("entries are missing at the end of the log", hint=FORK_HINT)
            self._read(findings, before)
            taken += islice(self._hashes, count - len(taken))
        return taken

    def _read(self, findings: RangeFindings, before: Mapping[bytes, ProcedureCount]) -> None:
        if findings.broken is not None:
            raise SigningRefused(findings.broken[1], hint=FORK_HINT)
        data = findings.leaf_hashes
        hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
        for procedure_id, part in findings.procedures.items():
            count = self.procedures.get(procedure_id) or before.get(procedure_id, ProcedureCount())
            if part.first_no != count.entry_count + 1:
                raise SigningRefused(
                    f"entry {findings.of.first + part.seqs[0]}: number {part.first_no} within its"
                    f" procedure should be {count.entry_count + 1}",
                    hint=FORK_HINT,
                )
            self.procedures[procedure_id] = count.with_leaves([hashes[at] for at in part.seqs])
        self._hashes = iter(hashes)
        self._progress(len(hashes))


def _extended(
    memory: Memory, batches: Sequence[ChainedBatch], leaves: _Leaves, known: dict[int, bytes]
) -> Memory:
    frontier = Frontier.from_bytes(memory.size, memory.frontier.to_bytes())
    _check_known(frontier, known)
    for batch in batches:
        frontier.extend(leaves.take(batch.tree_size - frontier.size, memory.procedures))
        if frontier.root() != batch.root:
            raise SigningRefused(
                f"the entries up to {batch.tree_size - 1} do not give the root of batch"
                f" {batch.batch_no}: one of them, or one before them, was changed",
                hint=FORK_HINT,
            )
        _check_known(frontier, known)
    if known:
        raise SigningRefused(
            f"the log never had the size {min(known)} that the checkpoint says: it was rolled"
            " back or is another one",
            hint=FORK_HINT,
        )
    if not batches:
        return memory
    last = batches[-1]
    return replace(
        memory,
        frontier=frontier,
        batch_count=last.batch_no + 1,
        batch_hash=last.batch_hash,
        recorded_us=last.recorded_us,
        procedures={**memory.procedures, **leaves.procedures},
    )


def _check_known(frontier: Frontier, known: dict[int, bytes]) -> None:
    root = frontier.root()
    if known.pop(frontier.size, root) != root:
        raise SigningRefused(
            f"the log has another root at size {frontier.size} than the checkpoint: it was forked"
            " or rebuilt",
            hint=FORK_HINT,
        )
