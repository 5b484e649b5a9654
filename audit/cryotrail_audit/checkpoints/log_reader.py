"""A log as a signer or witness reads it: grown from raw, with proof that its past is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, select

from cryotrail_audit.checkpoints import growth, procedures
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.growth import Progress
from cryotrail_audit.checkpoints.memory import Memory
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.errors import LogMissing
from cryotrail_audit.evidence.databases import evidence_of
from cryotrail_audit.migration import check_revision
from cryotrail_audit.proofs.errors import ProofNotMade
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.tables import BATCH, LOG
from cryotrail_schemas.merkle_proofs import ProofRefused, verify_consistency


class LogEnd(NamedTuple):
    """How far a log got, as the store says: for deciding whether to look, and for nothing else."""

    batch_count: int
    size: int


class LogReader:
    """Reads the newest log of a store; writes nothing.

    Every method may raise :class:`StoreUnavailable` or :class:`StoreBusy`, both retriable.
    """

    def __init__(self, url: str) -> None:
        """Open the store at a database URL.

        :raises StoreNotReady: nothing there, or a schema that this program does not know.
        """
        parsed = parse_url(url)
        self._name = name_of(parsed)
        self._engine = engine_of(parsed)
        self._database = evidence_of(self._engine)
        try:
            with self._reading() as connection:
                check_revision(connection, self._name)
        except BaseException:
            self.close()
            raise

    def end(self) -> LogEnd:
        """The end of the log as of now."""
        with self._reading() as connection:
            row = connection.execute(
                select(BATCH.c.batch_no, BATCH.c.tree_size)
                .where(BATCH.c.log_id == _newest_log_id(connection))
                .order_by(BATCH.c.batch_no.desc())
                .limit(1)
            ).first()
        return LogEnd(0, 0) if row is None else LogEnd(row.batch_no + 1, row.tree_size)

    def grown(
        self,
        memory: Memory,
        progress: Progress,
        *,
        known: Mapping[int, bytes] | None = None,
        known_batches: Mapping[int, bytes] | None = None,
        through_batches: int | None = None,
    ) -> Memory:
        """See :func:`cryotrail_audit.checkpoints.growth.grown`.

        Beyond that, the stored hashes of the past must still lead from the remembered root to the
        new one: an old leaf or tile that was rewritten on their way is noticed without reading
        the past again.
        """
        with database_errors(self._name), self._database.evidence() as evidence:
            found = growth.grown(
                memory,
                evidence,
                progress,
                known=known,
                known_batches=known_batches,
                through_batches=through_batches,
            )
        if 0 < memory.size < found.size:
            self._prove(memory, found)
        return found

    def ended_between(self, first: int, end: int) -> list[bytes]:
        """See :func:`cryotrail_audit.checkpoints.procedures.ended_between`."""
        with self._reading() as connection:
            log_id = _newest_log_id(connection)
            return procedures.ended_between(connection, log_id, first, end)

    def leaves_of(self, procedure_id: bytes, entry_count: int) -> Sequence[bytes]:
        """See :func:`cryotrail_audit.checkpoints.procedures.leaves_of`."""
        with self._reading() as connection:
            return procedures.leaves_of(connection, procedure_id, entry_count)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _prove(self, old: Memory, new: Memory) -> None:
        try:
            with self._reading() as connection:
                prover = Prover(connection, _newest_log_id(connection))
                proof = prover.consistency(old.size, new.size)
            verify_consistency(old.size, old.frontier.root(), new.size, new.frontier.root(), proof)
        except (ProofNotMade, ProofRefused) as error:
            raise SigningRefused(
                f"the stored hashes do not lead from the {old.size} entries that were signed to"
                f" the {new.size} there are: hashes of the past were changed ({error})",
                hint="verify the store; sign --full hashes all of it again",
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_errors(self._name), self._engine.connect() as connection:
            yield connection


def _newest_log_id(connection: Connection) -> int:
    newest = select(LOG.c.log_id).order_by(LOG.c.log_id.desc()).limit(1)
    log_id: int | None = connection.execute(newest).scalar()
    if log_id is None:
        raise LogMissing
    return log_id
