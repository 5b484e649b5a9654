"""Verifies one log: its entries batch by batch, and then what is said of the log as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from cryotrail_audit.batch_chain import BatchRow
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.evidence import Evidence, LogRow, Unreadable
from cryotrail_audit.evidence.range import TILE, Broken, ranges_of
from cryotrail_audit.proofs.growing_tree import GrowingTree
from cryotrail_audit.verification.batches import NO_CHAIN, BatchChain
from cryotrail_audit.verification.continued import Continuation
from cryotrail_audit.verification.entries import EntryStream, Progress
from cryotrail_audit.verification.expected import Expectations
from cryotrail_audit.verification.heads import HeadChecks
from cryotrail_audit.verification.memory import LogMemory
from cryotrail_audit.verification.notes import HeldCheckpoint, stored_checkpoints
from cryotrail_audit.verification.registered import Said, keep_said
from cryotrail_audit.verification.tiles import StoredTiles


class Given(NamedTuple):
    """What a verifier works with."""

    evidence: Evidence
    progress: Progress
    held: Sequence[HeldCheckpoint] = ()
    """Checkpoints that were kept outside the store."""
    pinned_keys: Sequence[PinnedKey] = ()
    """Public keys of the logs, from outside the store."""


class LogVerifier:
    """Reads one log of a snapshot once."""

    def __init__(
        self,
        given: Given,
        log: LogRow,
        tree: GrowingTree,
        entry_nos: dict[bytes, int],
        said: Said,
        heads: HeadChecks,
        memory: LogMemory | None,
    ) -> None:
        """Begin with the entry behind the tree; tree, numbers and ``said`` grow from here.

        :param entry_nos: the highest number of each procedure so far.
        :param said: what the log says of topics and schemas so far.
        :param memory: the log as it was verified before.
        """
        evidence = given.evidence
        self._given, self._log, self._tree, self._said = given, log, tree, said
        self._memory, self._heads, self._start = memory, heads, tree.size
        with _readable_from(tree):
            self._size = evidence.tree_size(log.log_id)
        self._cut = self._size - self._size % TILE
        self._tiles = StoredTiles(evidence, log.log_id, self._start)
        self._chain = BatchChain(evidence, log.log_id, NO_CHAIN if memory is None else memory.chain)
        self._expected = Expectations()
        self._ranges = evidence.ranges(log.log_id, ranges_of(self._start, self._size))
        self._stream = EntryStream(
            log.log_id, self._ranges, self._start, entry_nos, heads, given.progress
        )
        self._left: LogMemory | None = None

    def run(self, continuation: Continuation | None) -> None:
        """Recompute everything.

        :param continuation: what the log that continues this one says of it.
        :raises Broken: the first thing that is not as it should be.
        """
        with closing(self._ranges), _readable_from(self._tree):
            self._expect(continuation)
            if self._start == self._cut:
                self._leave()
            if self._memory is not None:
                self._check_known(self._memory)
            self._chain.follow(self._check_entries)
        self._expected.end()
        self._tiles.end()
        self._heads.end(self._log.log_id, self._tree.size)
        for wrong in (
            self._expected.unmet,
            self._chain.expected.unmet,
            self._heads.unmet,
            self._tiles.wrong,
        ):
            if wrong is not None:
                raise Broken(None, wrong)

    def anchored_size(self) -> int:
        """How many entries the checkpoints from outside cover, once all of them were met."""
        sizes = [0]
        for held in self._given.held:
            if (expected := held.expected_of(self._log)) is not None:
                of_batches, (size, *_) = expected
                sizes.append(self._chain.tree_sizes[size] if of_batches else size)
        return max(sizes)

    def remembered(self, origins: list[str]) -> LogMemory | None:
        """The log for a later run, once it was verified.

        :param origins: of all logs of the store.
        """
        return self._left and self._left._replace(
            origins=origins, size=self._tree.size, root=self._tree.root(), chain=self._chain.end
        )

    def _expect(self, continuation: Continuation | None) -> None:
        """What signed notes say that the log is."""
        held = [one.expected_of(self._log) for one in self._given.held]
        expected = [one for one in held if one is not None]
        expected += stored_checkpoints(
            self._given.evidence, self._log, self._given.pinned_keys, self._start
        )
        for of_batches, root in expected:
            if not of_batches:
                self._expected.add(root)
            elif root.size >= self._chain.end.batches:
                self._chain.expect(root)
        root_before = None if continuation is None else continuation.expected()
        if root_before is not None and root_before.size >= self._start:
            self._expected.add(root_before)
        self._expected.reached(self._tree.size, self._tree.root)

    def _check_known(self, memory: LogMemory) -> None:
        """The log still begins with what was verified before."""
        if self._size < memory.size:
            raise Broken(
                None,
                f"the log has {self._size} entries, this verifier saw {memory.size}: it was rolled"
                " back",
            )
        self._advance(memory.size)
        if self._stream.broken is not None:
            raise self._stream.broken
        if self._tree.root() != memory.root:
            raise Broken(
                None,
                f"the first {memory.size} entries do not give the root that this verifier saw:"
                " the past was rewritten",
            )
        self._keep_said()

    def _check_entries(self, batch: BatchRow) -> None:
        """The entries of one batch, and what their leaves make of the tree."""
        self._advance(batch.tree_size)
        self._stream.check_times(
            batch.first_seq, self._tree.size, batch.recorded_us, batch.batch_no
        )
        self._keep_said()
        if self._stream.broken is not None:
            raise self._stream.broken
        if (self._tree.root(), self._tree.peaks()) != (batch.root, batch.frontier):
            raise Broken(
                batch.first_seq,
                f"entries {batch.first_seq} to {batch.tree_size - 1} do not give the root of their"
                f" batch {batch.batch_no}: one was changed together with its leaf hash",
            )

    def _advance(self, end: int) -> None:
        """Take entries into the tree, up to ``end`` or the first that is not as it should be."""
        tree = self._tree
        while tree.size < end and self._stream.broken is None:
            stop = self._expected.next_size(tree.size, end)
            if tree.size < self._cut < stop:
                stop = self._cut
            self._tiles.check(tree.extend(self._stream.take(stop)))
            self._expected.reached(tree.size, tree.root)
            if tree.size == self._cut:
                self._leave()

    def _leave(self) -> None:
        """Keep where a later run can begin: at the end of the last full tile."""
        self._keep_said()
        self._left = LogMemory(
            log_id=self._log.log_id,
            origins=[],
            size=0,
            root=b"",
            chain=NO_CHAIN,
            start=self._tree.size,
            peaks=self._tree.peaks(),
            begun=self._tree.begun(),
            entry_nos=dict(self._stream.entry_nos),
            said=dict(self._said),
        )

    def _keep_said(self) -> None:
        keep_said(self._said, self._stream.said_below(self._tree.size))


@contextmanager
def _readable_from(tree: GrowingTree) -> Iterator[None]:
    """What cannot be read within the block is a break behind the last entry that was read."""
    try:
        yield
    except Unreadable as error:
        seq = tree.size
        raise Broken(seq, f"from entry {seq} on the log cannot be read: {error}") from error
