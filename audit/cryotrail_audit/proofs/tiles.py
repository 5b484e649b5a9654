"""Tiles: the hashes of the tree, 256 side by side, so that a proof reads a few rows.

The layout is that of C2SP tlog-tiles (https://c2sp.org/tlog-tiles): a tile of level 0 holds leaf
hashes, one of level n the roots of 256 tiles of level n-1. Only full tiles are kept, which never
change again; each has its own root beside it, from which the tile above is made.

Tiles repeat what the entries say, for speed, and are under no batch hash. Nothing is believed for
standing in a tile: a proof with a wrong hash is refused by whoever checks it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from cryotrail_schemas.merkle import HASH_BYTES

_log = logging.getLogger(__name__)

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

    A tile of which not all earlier hashes are there any more is left out, and logged as an error:
    what was removed is for verification to name, and recording must not end because of it.

    :param size: of the tree before the leaves came.
    :param completed: what :meth:`~cryotrail_schemas.merkle.Frontier.extend` returned for them.
    :param earlier: asked for what stood in a tile before, where one was filled.
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
        whole = 0
        if len(before) != begun:
            _log.error(
                "tile %d of level %d is not written: of the hashes %d to %d below it %d are missing."
                " Something was removed from the store: cryotrail audit verify",
                *(first // TILE_WIDTH, level, first - begun, first - 1, begun - len(before)),
            )
            before, whole = [bytes(HASH_BYTES)] * begun, 1
        row, width = b"".join((*before, *hashes)), TILE_WIDTH * HASH_BYTES
        tiles += (
            Tile(level, first // TILE_WIDTH + n, roots[n], row[n * width : (n + 1) * width])
            for n in range(whole, count)
        )
    return tiles
