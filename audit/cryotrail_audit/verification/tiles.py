"""The tiles that the store keeps of the tree, beside those that the entries give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryotrail_audit.evidence import Evidence, TileRow
from cryotrail_audit.proofs.tiles import TILE_HEIGHT, Tile


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
