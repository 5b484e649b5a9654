"""Tiles: the hashes of the tree, 256 side by side, so that a proof reads a few rows.

The layout is that of C2SP tlog-tiles (https://c2sp.org/tlog-tiles): a tile of level 0 holds leaf
hashes, one of level n the roots of 256 tiles of level n-1. Only full tiles are kept, which never
change again; each has its own root beside it, from which the tile above is made.

Tiles repeat what the entries say, for speed, and are under no batch hash. Nothing is believed for
standing in a tile: a proof with a wrong hash is refused by whoever checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from cryotrail_audit.errors import StoreDamaged
from cryotrail_schemas.merkle import HASH_BYTES, Frontier

TILE_HEIGHT: Final = 8
"""Levels of the tree that a tile spans."""

TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Hashes in a tile."""


class Tile(NamedTuple):
    """A full tile; a row of ``tile`` without its ``log_id``."""

    level: int
    tile_no: int
    root: bytes
    hashes: bytes


EarlierHashes = Callable[[int, int, int], Sequence[bytes]]
"""``earlier(level, first, end)``: the hashes ``first`` to ``end - 1`` of a level of tiles.

At level 0 they are leaf hashes, above it the roots of the tiles one level below.
"""


def filled_tiles(
    size: int, completed: Sequence[Sequence[bytes]], earlier: EarlierHashes
) -> list[Tile]:
    """The tiles that new leaves filled.

    :param size: of the tree before the leaves came.
    :param completed: what :meth:`~cryotrail_schemas.merkle.Frontier.extend` returned for them.
    :param earlier: asked for what stood in a tile before, where one was filled.
    :raises StoreDamaged: it does not have them all.
    """
    tiles: list[Tile] = []
    for level, hashes in enumerate(completed[::TILE_HEIGHT]):
        first = size >> level * TILE_HEIGHT
        begun = first % TILE_WIDTH
        count = (begun + len(hashes)) // TILE_WIDTH
        if count == 0:
            break  # and none above
        roots = completed[(level + 1) * TILE_HEIGHT]
        before = earlier(level, first - begun, first) if begun else ()
        if len(before) != begun:
            raise StoreDamaged(
                f"{begun - len(before)} of the hashes {first - begun} to {first - 1} are missing"
                f" at level {level * TILE_HEIGHT} of the tree",
                hint="something was removed: cryotrail audit verify",
            )
        row, width = b"".join((*before, *hashes)), TILE_WIDTH * HASH_BYTES
        tiles += (
            Tile(level, first // TILE_WIDTH + n, roots[n], row[n * width : (n + 1) * width])
            for n in range(count)
        )
    return tiles


class TileBuilder:
    """The tiles of a tree, from all of its leaf hashes in order, without a store."""

    def __init__(self) -> None:
        self._frontier = Frontier()
        # By level: what stands in the tile that is being filled.
        self._begun: dict[int, list[bytes]] = {}

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """The tiles that these leaves fill, from the lowest level up."""
        size = self._frontier.size
        completed = self._frontier.extend(leaf_hashes)
        tiles = filled_tiles(size, completed, lambda level, _first, _end: self._begun[level])
        for level, hashes in enumerate(completed[::TILE_HEIGHT]):
            begun = [*self._begun.get(level, ()), *hashes]
            self._begun[level] = begun[len(begun) // TILE_WIDTH * TILE_WIDTH :]
        return tiles
