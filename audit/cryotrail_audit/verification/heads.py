"""Procedure heads beside the entries: how many a procedure has at a size, and which."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection
from hashlib import sha256
from typing import NamedTuple

from cryotrail_audit.evidence.range import RangeFindings
from cryotrail_schemas.merkle import HASH_BYTES


class ExpectedHead(NamedTuple):
    """What a stored procedure head says."""

    log_id: int
    tree_size: int
    entry_count: int
    leaves_hash: bytes
    name: str
    """For messages."""


class HeadChecks:
    """Hashes the leaves of the procedures that have heads, in the order of their entries."""

    def __init__(self, procedures_begun: Collection[bytes] = ()) -> None:
        """Leave out procedures whose first entries are not read in this run."""
        self._begun = procedures_begun
        self._heads: defaultdict[bytes, deque[ExpectedHead]] = defaultdict(deque)
        self._hashed: defaultdict[bytes, _Hashed] = defaultdict(_Hashed)
        self.unmet: str | None = None
        """The first head that says something else than the entries, in words."""

    def add(self, procedure_id: bytes, head: ExpectedHead) -> None:
        """Expect a head; those of one procedure in the order of ``log_id`` and ``tree_size``."""
        if procedure_id not in self._begun:
            self._heads[procedure_id].append(head)

    def take(self, log_id: int, found: RangeFindings) -> None:
        """The entries of the next range."""
        for procedure_id in self._heads.keys() & found.procedures.keys():
            heads, hashed = self._heads[procedure_id], self._hashed[procedure_id]
            for offset in found.procedures[procedure_id].seqs:
                place = (log_id, found.of.first + offset)
                while heads and (heads[0].log_id, heads[0].tree_size) <= place:
                    self._compare(heads.popleft(), hashed)
                hashed.add(found.leaf_hashes[offset * HASH_BYTES : (offset + 1) * HASH_BYTES])

    def end(self, log_id: int, size: int) -> None:
        """A log has no further entries."""
        for procedure_id, heads in self._heads.items():
            while heads and heads[0].log_id <= log_id:
                head = heads.popleft()
                if head.tree_size > size:
                    self.unmet = self.unmet or (
                        f"the {head.name} is of {head.tree_size} entries, the log has {size}"
                    )
                self._compare(head, self._hashed[procedure_id])

    def _compare(self, head: ExpectedHead, hashed: _Hashed) -> None:
        if (head.entry_count, head.leaves_hash) != (hashed.count, hashed.hash.digest()):
            self.unmet = self.unmet or (
                f"the {head.name} counts {head.entry_count} entries at size {head.tree_size};"
                f" the log has {hashed.count} there, or others"
            )


class _Hashed:
    """The leaves of one procedure so far."""

    def __init__(self) -> None:
        self.hash = sha256()
        self.count = 0

    def add(self, leaf_hash: bytes) -> None:
        self.hash.update(leaf_hash)
        self.count += 1
