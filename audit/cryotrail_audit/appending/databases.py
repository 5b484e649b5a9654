"""Which database an append goes to."""

from __future__ import annotations

from sqlalchemy import Engine

from cryotrail_audit.appending.postgresql import PostgresqlAppends
from cryotrail_audit.appending.sqlite import SqliteAppends
from cryotrail_audit.appending.transaction import AppendDatabase


def appends_of(engine: Engine) -> AppendDatabase:
    """Append transactions on a database."""
    return SqliteAppends(engine) if engine.dialect.name == "sqlite" else PostgresqlAppends(engine)
