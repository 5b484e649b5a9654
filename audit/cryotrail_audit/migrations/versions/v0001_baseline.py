"""The tables, the leaf hash as a CHECK (PostgreSQL), and the triggers that refuse change."""

from __future__ import annotations

from alembic import op

from cryotrail_audit.migrations.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    connection = op.get_bind()
    run_script(connection, "v0001_tables")
    if connection.dialect.name == "postgresql":
        run_script(connection, "v0001_leaf_hash")
    run_script(connection, "v0001_append_only")


def downgrade() -> None:
    """Never: what the store holds is evidence."""
    raise NotImplementedError("an audit store is never downgraded: it would have to drop evidence")
