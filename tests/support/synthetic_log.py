"""A log of synthetic leaf hashes, put straight into tiles: as large as one likes, in seconds.

There is no data behind these hashes: such a store proves nothing, and serves only to see what
proofs cost and look like in a large tree. Its guards are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from store_tables import tables_of

from cryotrail_audit.proofs.growing_tree import GrowingTree
from cryotrail_audit.proofs.tiles import TILE_WIDTH
from cryotrail_schemas.merkle import Frontier


def synthetic_leaf(number: int) -> bytes:
    """The leaf hash of entry ``number``; of nothing that was ever hashed with the leaf prefix."""
    return sha256(b"synthetic leaf %d" % number).digest()


def synthetic_log(url: str, size: int) -> Frontier:
    """Make an empty store one of ``size`` synthetic entries, a multiple of 256.

    Appends go on behind them. Returns the frontier.
    """
    assert size % TILE_WIDTH == 0  # the rest of a tile would have to stand in entries
    tree, frontier = GrowingTree(), Frontier()
    with tables_of(url) as tables:
        tables.drop_guards()
        tables.execute("begin")
        for leaves in _chunks(size):
            frontier.extend(leaves)
            for tile in tree.extend(leaves):
                tables.execute("insert into tile values (1, %s, %s, %s, %s)", tile)
        tables.execute(
            "insert into batch values (1, 0, 0, %s, %s, %s, 0, %s, %s)",
            (size, frontier.root(), frontier.to_bytes(), bytes(32), bytes(32)),
        )
        tables.execute("commit")
    return frontier


def _chunks(size: int) -> Iterator[list[bytes]]:
    for first in range(0, size, 1 << 16):
        yield [synthetic_leaf(number) for number in range(first, min(first + (1 << 16), size))]
