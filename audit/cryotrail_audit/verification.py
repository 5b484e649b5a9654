"""Verifies a store from all its bytes: every leaf, every root, and the chain over the batches.

``intact`` means that the store agrees with itself. Whoever can write everything in the database
can also rebuild everything in it: only a checkpoint that was kept outside shows that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.errors import StoreDamaged
from cryotrail_audit.evidence import Evidence, EvidenceDatabase
from cryotrail_audit.evidence_postgresql import PostgresqlEvidenceDatabase
from cryotrail_audit.evidence_sqlite import SqliteEvidenceDatabase
from cryotrail_audit.migration import check_revision
from cryotrail_audit.verifier import Broken, Progress, Verifier
from cryotrail_schemas.merkle import EMPTY_ROOT


class Verification(NamedTuple):
    """What a verifier found."""

    result: Literal["intact", "broken"]
    size: int
    """Entries that were found in order."""
    root: bytes
    """RFC 6962 root over them, computed."""
    first_broken_seq: int | None
    """None when the log is intact, or when the break concerns no entry or none that is known."""
    reason: str | None
    """What kind of break it is, in words."""


def verify(url: str, progress: Progress | None = None) -> Verification:
    """Read every byte of the store and recompute everything that follows from it; writes nothing.

    Recomputed are the leaf of every entry from all its columns, the hash of its body, the density
    of ``seq`` and of every procedure's numbers, root and frontier of every batch, the chain over
    the batches with their positions and redeliveries, and what the log says of each topic and
    schema. What is appended meanwhile is not looked at.

    A database that cannot read its own files is ``broken``, and no error.

    :raises StoreNotReady: there is no store.
    :raises StoreUnavailable: the database does not answer.
    """
    parsed = parse_url(url)
    engine = engine_of(parsed)
    try:
        with database_errors(name_of(parsed)):
            with engine.connect() as connection:
                check_revision(connection, name_of(parsed))
            database: EvidenceDatabase = (
                SqliteEvidenceDatabase(Path(str(parsed.database)))
                if engine.dialect.name == "sqlite"
                else PostgresqlEvidenceDatabase(engine)
            )
            with database.evidence() as evidence:
                return _verified(evidence, progress or (lambda _count: None))
    except StoreDamaged as error:
        return Verification("broken", 0, EMPTY_ROOT, None, str(error))
    finally:
        engine.dispose()


def _verified(evidence: Evidence, progress: Progress) -> Verification:
    verifier = Verifier(evidence, progress)
    result: Literal["intact", "broken"] = "intact"
    seq, reason = None, None
    try:
        verifier.run()
    except Broken as broken:
        result, seq, reason = "broken", broken.seq, broken.reason
    return Verification(result, verifier.frontier.size, verifier.frontier.root(), seq, reason)
