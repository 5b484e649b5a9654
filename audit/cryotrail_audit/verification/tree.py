"""The tree over the entries as it grows, and the tiles that the store keeps of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryotrail_audit.evidence import Evidence, TileRow
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


class StoredTiles:
    """The tiles of the store beside those that the entries give."""

    def __init__(self, evidence: Evidence, log_id: int, first_entry: int = 0) -> None:
        """Begin with the tiles that the entry fills or follows; it opens one at each level."""
        self._evidence, self._log_id, self._first = evidence, log_id, first_entry
        self._rows: dict[int, Iterator[TileRow]] = {}
        self.wrong: str | None = None
        """The first that is not as it should be, in words."""

    def check(self, tiles: Sequence[Tile]) -> None:
        """The next tiles of each level must be these."""
        for tile in tiles:
            if self.wrong is not None:
                return
            row = next(self._of_level(tile.level), None)
            if row != tuple(tile):
                name = f"tile {tile.tile_no} of level {tile.level}"
                self.wrong = (
                    f"{name} is missing"
                    if row is None or row.tile_no > tile.tile_no
                    else f"{name} is not what the entries give"
                )

    def end(self) -> None:
        """No level may have a further tile."""
        for level in sorted({*self._evidence.tile_levels(self._log_id), *self._rows}):
            if self.wrong is None and (row := next(self._of_level(level), None)) is not None:
                self.wrong = f"tile {row.tile_no} of level {level} has entries that are not there"

    def _of_level(self, level: int) -> Iterator[TileRow]:
        if level not in self._rows:
            first = self._first >> (level + 1) * TILE_HEIGHT if level >= 0 else 0
            self._rows[level] = self._evidence.tiles(self._log_id, level, first)
        return self._rows[level]
