"""Verifies the logs of a store in one snapshot: everything recomputed, in the order of ``seq``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from cryotrail_audit.evidence import Damage, LogRow, Unreadable
from cryotrail_audit.evidence.range import Broken
from cryotrail_audit.proofs.growing_tree import GrowingTree
from cryotrail_audit.verification.continued import check_continued, check_logs, continuation_of
from cryotrail_audit.verification.heads import HeadChecks
from cryotrail_audit.verification.log import Given, LogVerifier
from cryotrail_audit.verification.memory import LogMemory
from cryotrail_audit.verification.notes import check_held, expected_by_head
from cryotrail_audit.verification.registered import Said, check_registered


class Verifier:
    """Reads a snapshot once."""

    def __init__(self, given: Given, memory: LogMemory | None = None) -> None:
        """Take what is known from outside the store.

        :param memory: the newest log as it was verified before; what comes before is not read.
        """
        self._given, self._evidence, self._memory = given, given.evidence, memory
        self._entry_nos: dict[bytes, int] = {} if memory is None else dict(memory.entry_nos)
        self._said: Said = {} if memory is None else dict(memory.said)
        self.logs: Sequence[LogRow] = ()
        self.tree = GrowingTree()
        """The entries of the log that was read last, as far as they were found in order."""
        self.anchored: dict[int, int] = {}
        """By ``log_id``, how many of its entries a checkpoint from outside covers."""
        self.earlier_size = 0
        """Entries of the logs before the newest that were read."""
        self.remembered: LogMemory | None = None
        """The newest log for a later run, once it was verified."""

    def run(self) -> None:
        """Recompute everything.

        :raises Broken: the first thing that is not as it should be.
        :raises CheckpointRefused, VerifierMemoryRefused: what is held outside is of another store.
        """
        try:
            self.logs = check_logs(self._evidence)
            check_held(self._given.held, self.logs, self._memory)
            with self._damage_check() as damage:
                self._check_logs()
                check_registered(self._said, self._evidence)
                if (table := self._evidence.foreign_table(len(self.logs))) is not None:
                    raise Broken(
                        None, f"a row of {table} belongs to a log that the store does not have"
                    )
                if (found := damage()) is not None:
                    raise Broken(None, f"the database is damaged: {found}")
        except Unreadable as error:
            raise Broken(None, f"the store cannot be read: {error}") from error

    def _damage_check(self) -> AbstractContextManager[Damage]:
        """It reads every page: left out where not every entry is read either."""
        if self._memory is None:
            return self._evidence.damage_check()
        return nullcontext(lambda: None)

    def _check_logs(self) -> None:
        continuations = {log.log_id: continuation_of(self._evidence, log) for log in self.logs[1:]}
        first = 0 if self._memory is None else self._memory.log_id - 1
        heads = self._heads(self.logs[first:])
        for log in self.logs[first:]:
            if log.log_id > first + 1:
                before = self.logs[log.log_id - 2]
                check_continued(continuations[log.log_id], before, self.tree.size)
                self.earlier_size += self.tree.size
            memory = self._memory if log.log_id == first + 1 else None
            self.tree = GrowingTree() if memory is None else memory.tree()
            try:
                verified = LogVerifier(
                    self._given, log, self.tree, self._entry_nos, self._said, heads, memory
                )
                verified.run(continuations.get(log.log_id + 1))
            except Broken as broken:
                if len(self.logs) == 1:
                    raise
                raise Broken(broken.seq, f"log {log.origin}: {broken.reason}") from broken
            self.anchored[log.log_id] = verified.anchored_size()
            self.remembered = verified.remembered([log.origin for log in self.logs])

    def _heads(self, logs: Sequence[LogRow]) -> HeadChecks:
        heads = HeadChecks(self._entry_nos)
        for log in logs:
            for row in self._evidence.heads(log.log_id):
                heads.add(*expected_by_head(row, log, self._given.pinned_keys))
        return heads
