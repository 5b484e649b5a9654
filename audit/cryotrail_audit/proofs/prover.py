"""The prover: proofs and roots of any size of a log, from its tiles and its newest entries.

It trusts the hashes that are stored, so what it says is about hashes: a store whose data was
changed beneath its hashes gives the same proofs as before. A proof says something about data only
to a verifier who hashes the raw bytes himself, as ``verify.py`` of an export and
:mod:`cryotrail_audit.verification` do, and only under a root that was signed or kept outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, func, select

from cryotrail_audit.errors import LogMissing
from cryotrail_audit.proofs.errors import ProofNotMade
from cryotrail_audit.proofs.tiles import TILE_HEIGHT, TILE_WIDTH
from cryotrail_audit.tables import BATCH, ENTRY, LOG, TILE
from cryotrail_schemas.merkle import HASH_BYTES, Frontier
from cryotrail_schemas.merkle_proofs import consistency_proof, inclusion_proof, root_at

_KEPT_ROWS: Final = 64
"""Rows of the tree in memory, about 40 KiB each: proofs of one procedure share most of theirs."""


class Prover:
    """Makes proofs of one log as it stands at this moment.

    Entries that are appended later are not seen: the size is fixed here, and nothing that was
    stored before it changes. A proof reads at most two rows of 256 hashes for each level of
    tiles, of which a log of 16 million entries has three.
    """

    def __init__(self, connection: Connection, log_id: int | None = None) -> None:
        """Take a log by its id; the newest when left out."""
        if log_id is None:
            log_id = connection.execute(select(func.max(LOG.c.log_id))).scalar_one()
            if log_id is None:
                raise LogMissing
        newest_batch = (
            select(BATCH.c.tree_size)
            .where(BATCH.c.log_id == log_id)
            .order_by(BATCH.c.batch_no.desc())
            .limit(1)
        )
        self._connection = connection
        self._log_id = log_id
        self.size: int = connection.execute(newest_batch).scalar() or 0
        """Entries of the log."""
        self._levels_of_row = lru_cache(_KEPT_ROWS)(self._read_row)

    def inclusion(self, seq: int, size: int) -> list[bytes]:
        """The proof that entry ``seq`` is in the tree of ``size`` entries.

        :raises ProofNotMade: the log is shorter, or hashes are missing.
        :raises ProofRefused: that tree has no such entry.
        """
        self._check(size)
        return inclusion_proof(seq, size, self._node)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof that the tree of ``size`` entries extends that of ``old`` entries.

        :raises ProofNotMade: the log is shorter, or hashes are missing.
        :raises ProofRefused: ``old`` is zero or the larger one.
        """
        self._check(size)
        return consistency_proof(old, size, self._node)

    def root(self, size: int) -> bytes:
        """The root that the log had, or has, at a size.

        :raises ProofNotMade: the log is shorter, or hashes are missing.
        """
        self._check(size)
        return root_at(size, self._node)

    def _check(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise ProofNotMade(
                f"the log has {self.size} entries, not {size}",
                hint="a log that was longer once was cut or restored: compare it with a checkpoint",
            )

    def _node(self, level: int, index: int) -> bytes:
        tile_level, within = divmod(level, TILE_HEIGHT)
        tile_no, index_in_tile = divmod(index, TILE_WIDTH >> within)
        return self._levels_of_row(tile_level, tile_no)[within][index_in_tile]

    def _read_row(self, level: int, tile_no: int) -> Sequence[Sequence[bytes]]:
        """The hashes of a tile, full or not, and the nodes above them within it, by level."""
        first = tile_no * TILE_WIDTH
        end = min(first + TILE_WIDTH, self.size >> level * TILE_HEIGHT)
        if end - first == TILE_WIDTH:
            hashes = self._read_tile(level, tile_no)
        elif level == 0:
            hashes = self._read_leaf_hashes(first, end)
        else:
            hashes = self._read_roots(level - 1, first, end)
        if len(hashes) != end - first:
            raise ProofNotMade(
                f"hashes {first} to {end - 1} of level {level * TILE_HEIGHT} are missing"
                " in the store",
                hint="something was removed: cryotrail audit verify",
            )
        return Frontier().extend(hashes)

    def _read_tile(self, level: int, tile_no: int) -> Sequence[bytes]:
        found: bytes | None = self._connection.execute(
            select(TILE.c.hashes).where(
                TILE.c.log_id == self._log_id, TILE.c.level == level, TILE.c.tile_no == tile_no
            )
        ).scalar()
        row = found or b""
        return [row[start : start + HASH_BYTES] for start in range(0, len(row), HASH_BYTES)]

    def _read_leaf_hashes(self, first: int, end: int) -> Sequence[bytes]:
        query = select(ENTRY.c.leaf_hash).where(
            ENTRY.c.log_id == self._log_id, ENTRY.c.seq >= first, ENTRY.c.seq < end
        )
        return self._connection.execute(query.order_by(ENTRY.c.seq)).scalars().all()

    def _read_roots(self, level: int, first: int, end: int) -> Sequence[bytes]:
        query = select(TILE.c.root).where(
            TILE.c.log_id == self._log_id,
            TILE.c.level == level,
            TILE.c.tile_no >= first,
            TILE.c.tile_no < end,
        )
        return self._connection.execute(query.order_by(TILE.c.tile_no)).scalars().all()
