"""The tree over the entries as it grows, with the tiles that it fills, without a store."""

from __future__ import annotations

from collections.abc import Sequence

from cryotrail_audit.proofs.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, filled_tiles
from cryotrail_schemas.merkle import HASH_BYTES, Frontier


class GrowingTree:
    """A frontier, and what stands in the tiles that are not full yet."""

    def __init__(self, size: int = 0, peaks: bytes = b"", begun: Sequence[bytes] = ()) -> None:
        """Take a tree up where it was left.

        :param peaks: :meth:`Frontier.to_bytes`.
        :param begun: by level, the hashes in the tile that is being filled.
        """
        self._frontier = Frontier.from_bytes(size, peaks)
        self._begun = [
            [level[at : at + HASH_BYTES] for at in range(0, len(level), HASH_BYTES)]
            for level in begun
        ]

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._frontier.size

    def root(self) -> bytes:
        """Root over all leaves so far."""
        return self._frontier.root()

    def peaks(self) -> bytes:
        """The frontier, the largest subtree first."""
        return self._frontier.to_bytes()

    def begun(self) -> list[bytes]:
        """By level, the hashes in the tile that is being filled."""
        return [b"".join(level) for level in self._begun]

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """Add leaves at the right end; the tiles that they fill, from the lowest level up."""
        size = self._frontier.size
        completed = self._frontier.extend(leaf_hashes)
        tiles = filled_tiles(size, completed, lambda level, _first, _end: self._begun[level])
        for level, hashes in enumerate(completed[::TILE_HEIGHT]):
            if level == len(self._begun):
                self._begun.append([])
            begun = self._begun[level]
            begun += hashes
            del begun[: len(begun) // TILE_WIDTH * TILE_WIDTH]
        return tiles
