"""Tiles, signed checkpoints and procedure heads; a restored log may be continued."""

from __future__ import annotations

from alembic import op

from cryotrail_audit.migrations.scripts import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    run_script(op.get_bind(), "v0002_evidence")


def downgrade() -> None:
    """Never: what the store holds is evidence."""
    raise NotImplementedError("an audit store is never downgraded: it would have to drop evidence")
