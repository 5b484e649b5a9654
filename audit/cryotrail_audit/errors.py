"""What the audit store refuses or cannot do.

AuditError
├── StoreNotReady         no store at that address, or one of another schema revision
├── StoreUnavailable      the database does not answer or cannot write now; retriable
├── StoreBusy             another writer holds the lock; retriable
├── StoreDamaged          the database's files are corrupt
├── LogMissing            the row that names the log was removed
├── StoreUnsafe           the database is set up so that a commit may be lost
├── ProcedureNotFound     nothing is recorded under an id or label, or several procedures are
├── Fenced                somebody newer has claimed the partition
├── PositionMoved         the store is further than the batch supposes; retriable after a look
├── BatchRefused          a batch that contradicts itself, or a value no column can hold
├── NotReplayable         a replay of what is not in quarantine, or was replayed already
├── ErasureRefused        a hold forbids it, or there is nothing that could be erased
├── NotContinued          a log that a continuation would not help, or that is another one
├── CheckpointRefused     a checkpoint held outside is of another store
├── VerifierMemoryRefused what the verifier remembers is unreadable, or of another store
├── FingerprintCollision  another schema is known under this fingerprint
└── ClockJumped           the clock of this machine may be wrong; retriable once it is confirmed
"""

from __future__ import annotations

from cryotrail_schemas.errors import CryotrailError


class AuditError(CryotrailError):
    """Root of the errors of the audit store."""


class StoreNotReady(AuditError):
    """There is no store at the address, or its schema is not the one this program knows."""


class StoreUnavailable(AuditError):
    """The database cannot be reached, the connection broke, or the disk is full.

    When it broke during an append, nobody knows whether the transaction was committed: read
    :meth:`AuditStore.position` again and go on from there.
    """

    retriable = True


class StoreBusy(AuditError):
    """Another writer held the append lock for longer than this one waits."""

    retriable = True


class StoreDamaged(AuditError):
    """The database cannot read its own files any more."""


class LogMissing(AuditError):
    """The table ``log`` is empty, which no store is: whoever could, removed its row."""

    def __init__(self) -> None:
        super().__init__(
            "the store has no log any more: the row that names it was removed",
            hint="keep the store as it is, and look: cryotrail audit verify",
        )


class StoreUnsafe(AuditError):
    """The database may lose a transaction that it reported as committed, so nothing is appended."""


class ProcedureNotFound(AuditError):
    """No procedure of that id or label is recorded, or several share the label."""


class Fenced(AuditError):
    """Another owner has claimed a partition of the batch since; nothing was written.

    Whoever is fenced drops the partition and what it still holds of it.
    """


class PositionMoved(AuditError):
    """The position of a partition is not where the batch begins; nothing was written.

    The usual cause is an append whose commit succeeded while its answer was lost: read
    :meth:`AuditStore.position` and go on from there.
    """

    retriable = True


class BatchRefused(AuditError):
    """The batch contradicts itself or holds a value that no column can hold; nothing was written."""


class NotReplayable(AuditError):
    """The entry to be replayed is not in quarantine, or was replayed before; nothing was written."""


class NotContinued(AuditError):
    """The log is not what a restore left of a signed one; nothing was written."""


class CheckpointRefused(AuditError):
    """A checkpoint from outside is of another store, or of what this run does not read."""


class VerifierMemoryRefused(AuditError):
    """What a verifier remembers cannot be read or written, or is of another store."""


class FingerprintCollision(AuditError):
    """Another schema text is registered under the same CRC-64 fingerprint.

    CRC-64 is no cryptographic hash: two schemas with two fields exchanged can be made to share
    one, and records read by the wrong text would still decode.
    """


class ClockJumped(AuditError):
    """The wall clock contradicts the steady one, the store's last stamp or the database server.

    ``recorded_us`` might be wrong for ever, so nothing is appended until the clock is right again,
    or an operator confirms that it is.
    """

    retriable = True


class ErasureRefused(AuditError):
    """An erasure that a hold forbids or that could not erase anything, or a hold on nobody known;
    nothing was done."""
