"""The Merkle tree of RFC 6962 section 2.1 over SHA-256: leaf, node, root, growing frontier.

Prefixes 0x00 and 0x01 keep a leaf from being passed off as a node. Inclusion and consistency
proofs are in :mod:`cryotrail_schemas.merkle_proofs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from cryotrail_schemas.errors import SchemaError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of the tree without leaves: SHA-256 of nothing."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root over leaf hashes in their order; of none, :data:`EMPTY_ROOT`."""
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


class Frontier:
    """All that a log must keep of its tree in order to grow it.

    It holds the roots of the complete subtrees that the tree falls into, the largest (and
    leftmost) first: one for each bit that is set in ``size``, so never more than 64 hashes.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf at the right end."""
        size, peaks = self._size, self._peaks
        self._size = size + 1
        node = leaf_hash
        while size & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[list[bytes]]:
        """Add leaves at the right end, in order; the same as appending each, and faster.

        :returns: the roots of the perfect subtrees that these leaves completed, by level: at 0
            the leaves themselves, at ``level`` subtrees of ``2**level`` leaves, left to right.
        """
        nodes = list(leaf_hashes)
        before, self._size = self._size, self._size + len(nodes)
        completed: list[list[bytes]] = []
        kept: list[bytes] = []
        while nodes:
            completed.append(nodes)
            if before & 1:
                nodes = [self._peaks.pop(), *nodes]
            if len(nodes) & 1:
                kept.append(nodes[-1])
            nodes = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(nodes[::2], nodes[1::2], strict=False)
            ]
            before >>= 1
        # Peaks taller than the level reached are untouched; those below it are the new ones.
        self._peaks.extend(reversed(kept))
        return completed

    def root(self) -> bytes:
        """Root over all leaves so far; the frontier is left as it is."""
        if not self._peaks:
            return EMPTY_ROOT
        *taller, node = self._peaks
        for peak in reversed(taller):
            node = node_hash(peak, node)
        return node

    def to_bytes(self) -> bytes:
        """The hashes one after another, the largest subtree first; ``size`` is kept beside it."""
        return b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Restore what :meth:`to_bytes` wrote.

        :raises SchemaError: the length is not that of a frontier over ``size`` leaves.
        """
        expected = size.bit_count() * HASH_BYTES if size >= 0 else None
        if len(data) != expected:
            raise SchemaError(
                f"{len(data)} bytes are no frontier over {size} leaves (expected {expected})"
            )
        frontier = cls()
        frontier._size = size
        frontier._peaks = [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]
        return frontier
