"""Which database evidence is read from."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from cryotrail_audit.evidence import EvidenceDatabase
from cryotrail_audit.evidence.postgresql import PostgresqlEvidenceDatabase
from cryotrail_audit.evidence.sqlite import SqliteEvidenceDatabase


def evidence_of(engine: Engine) -> EvidenceDatabase:
    """The evidence in a database."""
    if engine.dialect.name == "sqlite":
        return SqliteEvidenceDatabase(Path(str(engine.url.database)))
    return PostgresqlEvidenceDatabase(engine)
