"""What Alembic runs: the revisions, on the connection that ``migration.migrate`` opened."""

from __future__ import annotations

from alembic import context

from cryotrail_audit.tables import METADATA, SCHEMA

connection = context.config.attributes["connection"]
postgresql = connection.dialect.name == "postgresql"
if postgresql:
    connection.exec_driver_sql(f"create schema if not exists {SCHEMA}")
context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table_schema=SCHEMA if postgresql else None,
    # SQLite too: the migration and the record of it commit together.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
