"""Tiles, signed checkpoints and procedure heads; a restored log may be continued."""

from __future__ import annotations

from typing import Final

from alembic import op
from sqlalchemy import Connection, text

from cryotrail_audit.migrations.scripts import run_script
from cryotrail_audit.proofs.growing_tree import GrowingTree

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHUNK_ROWS: Final = 1 << 14


def upgrade() -> None:
    """Create the tables; fill the tiles of what the store holds already."""
    connection = op.get_bind()
    run_script(connection, "v0002_evidence")
    schema = "audit." if connection.dialect.name == "postgresql" else ""
    for log_id in connection.execute(text(f"select log_id from {schema}log")).scalars().all():
        _fill_tiles(connection, schema, log_id)


def _fill_tiles(connection: Connection, schema: str, log_id: int) -> None:
    # From the leaf hashes as they are stored: whether they are right is for verification to say,
    # which a store that could not be upgraded would never see.
    read = text(
        f"select leaf_hash from {schema}entry"
        " where log_id = :log_id and seq >= :first and seq < :first + :chunk order by seq"
    )
    write = text(
        f"insert into {schema}tile (log_id, level, tile_no, root, hashes)"
        " values (:log_id, :level, :tile_no, :root, :hashes)"
    )
    tree, first = GrowingTree(), 0
    parameters = {"log_id": log_id, "chunk": _CHUNK_ROWS}
    while leaves := connection.execute(read, parameters | {"first": first}).scalars().all():
        if tiles := tree.extend(leaves):
            connection.execute(write, [{"log_id": log_id, **tile._asdict()} for tile in tiles])
        first += len(leaves)


def downgrade() -> None:
    """Never: what the store holds is evidence."""
    raise NotImplementedError("an audit store is never downgraded: it would have to drop evidence")
