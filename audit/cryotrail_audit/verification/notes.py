"""Signed notes beside the log that they are of: those in the store, and those held outside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import head as heads
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint, batches_origin
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.head import ProcedureHead
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.checkpoints.note import SignedNote
from cryotrail_audit.errors import CheckpointRefused, VerifierMemoryRefused
from cryotrail_audit.evidence import CheckpointRow, Evidence, HeadRow, LogRow
from cryotrail_audit.evidence.range import Broken
from cryotrail_audit.verification.expected import Expected
from cryotrail_audit.verification.heads import ExpectedHead
from cryotrail_audit.verification.memory import LogMemory

Said = TypeVar("Said")

_US: Final = 1_000_000

_TIME_BYTES: Final = 8
_TIMED_BYTES: Final = (64, 2420)
"""Lengths of Ed25519 and ML-DSA-44 signatures: behind a time they are 8 bytes longer."""


class HeldCheckpoint(NamedTuple):
    """A checkpoint that was kept where whoever can write to the store cannot reach it."""

    checkpoint: Checkpoint
    is_signature_checked: bool

    @classmethod
    def read(cls, data: bytes, pinned_keys: Sequence[PinnedKey]) -> HeldCheckpoint:
        """Read a signed note.

        :param pinned_keys: those of its own log, and of witnesses, must have signed it.
        :raises NoteRefused: it is none, or no checkpoint.
        :raises SignatureRefused: a pinned key did not sign it, or none is of its log.
        """
        note = notes.parse(data)
        checkpoint = checkpoints.parse(note.text)
        # With keys of other logs alone, the first one says what it is of.
        for key in [key for key in pinned_keys if key.is_for(note)] or pinned_keys[:1]:
            key.verify(note)
        return cls(checkpoint, bool(pinned_keys))

    def expected_of(self, log: LogRow) -> tuple[bool, Expected] | None:
        """Whether it is of the batch chain, and what it expects; None = it is of another log."""
        origin, size, root = self.checkpoint
        if origin not in (log.origin, batches_origin(log.origin)):
            return None
        of_batches = origin != log.origin
        what = "batches" if of_batches else "entries"
        return of_batches, Expected(
            size,
            root,
            f"the past was rewritten: the first {size} {what} of {log.origin} do not give the root"
            " of the checkpoint held outside",
            f"shorter than signed, so rolled back: the checkpoint held outside is of {size} {what},"
            f" {log.origin} has fewer",
        )


def check_held(
    held: Sequence[HeldCheckpoint], logs: Sequence[LogRow], known: LogMemory | None
) -> None:
    """Refuse what this run cannot compare with the store.

    :param known: what was verified before and is not read again.
    :raises CheckpointRefused: a checkpoint is of no log of the store, or of what is not read.
    :raises VerifierMemoryRefused: what is known is of another store.
    """
    names = " and ".join(log.origin for log in logs)
    if known is not None and known.origins != [log.origin for log in logs[: len(known.origins)]]:
        raise VerifierMemoryRefused(
            f"this verifier's memory is of {' and '.join(known.origins)}; the store's log is {names}",
            hint="the store was exchanged for another, or the wrong memory was given",
        )
    for one in held:
        origin, size, _ = one.checkpoint
        of = [log for log in logs if one.expected_of(log) is not None]
        if not of:
            raise CheckpointRefused(
                f"the checkpoint is of {origin}; the store's log is {names}",
                hint="give a checkpoint of this store; if it ought to be one, the store was"
                " exchanged for another",
            )
        if known is None or of[0].log_id > known.log_id:
            continue
        if of[0].log_id < known.log_id:
            raise CheckpointRefused(
                f"the checkpoint is of {origin}, an earlier log, which this run does not read",
                hint=f"give one of {logs[-1].origin}, or verify whole, without --since-last",
            )
        is_of_batches = origin != of[0].origin
        first = known.chain.batches if is_of_batches else known.start
        if size < first:
            raise CheckpointRefused(
                f"the checkpoint of {origin} at size {size} is older than what this run reads",
                hint="give a newer one, or verify whole, without --since-last",
            )


def expected_by_row(
    row: CheckpointRow, log: LogRow, pinned_keys: Sequence[PinnedKey]
) -> tuple[bool, Expected]:
    """Whether a stored checkpoint is of the batch chain, and what it expects of it or of the log.

    :raises Broken: the row does not say what its note says, or the key did not sign that.
    """
    name = f"stored checkpoint {row.checkpoint_no}"
    note, said = _read(row.note, name, checkpoints.parse)
    if said != (row.origin, row.tree_size, row.root):
        raise Broken(None, f"the {name} does not say what its signed note says")
    if (times := _times_us(note)) and row.signed_us not in times:
        raise Broken(None, f"the {name} was not signed at the time that its row says")
    if said.origin not in (log.origin, batches_origin(log.origin)):
        raise Broken(None, f"the {name} is of {said.origin}, not of {log.origin}")
    _check_signature(note, name, log, pinned_keys)
    of_batches = said.origin != log.origin
    what = "batches" if of_batches else "entries"
    return of_batches, Expected(
        said.size,
        said.root,
        f"the {name} is of {said.size} {what}, which do not give its root",
        f"the {name} is of {said.size} {what}, there are fewer: the log was cut or rolled back",
    )


def expected_by_head(
    row: HeadRow, log: LogRow, pinned_keys: Sequence[PinnedKey]
) -> tuple[bytes, ExpectedHead]:
    """The procedure of a stored head, and what it expects.

    :raises Broken: the row does not say what its note says, or the key did not sign that.
    """
    name = f"stored head of procedure {UUID(bytes=row.procedure_id)}"
    note, said = _read(row.note, name, heads.parse)
    if (
        said
        != ProcedureHead(
            log.origin,
            UUID(bytes=row.procedure_id),
            row.entry_count,
            row.tree_size,
            row.leaves_hash,
            row.signed_us // _US,
        )
        or row.signed_us % _US
    ):
        raise Broken(None, f"the {name} does not say what its signed note says")
    _check_signature(note, name, log, pinned_keys)
    head = ExpectedHead(log.log_id, said.tree_size, said.entry_count, said.leaves_hash, name)
    return row.procedure_id, head


def stored_checkpoints(
    evidence: Evidence, log: LogRow, pinned_keys: Sequence[PinnedKey], from_size: int = 0
) -> list[tuple[bool, Expected]]:
    """What the stored checkpoints of a log expect; those of fewer than ``from_size`` left out.

    :raises Broken: a row does not say what its note says, or one is missing.
    """
    found = []
    for number, row in enumerate(evidence.checkpoints(log.log_id)):
        if row.checkpoint_no != number:
            raise Broken(
                None, f"stored checkpoint {number} is missing: {row.checkpoint_no} follows"
            )
        expected = expected_by_row(row, log, pinned_keys)
        if expected[1].size >= from_size or expected[0]:
            found.append(expected)
    return found


def _read(data: bytes, name: str, parse: Callable[[str], Said]) -> tuple[SignedNote, Said]:
    """A stored note and what its text says."""
    try:
        note = notes.parse(data)
        return note, parse(note.text)
    except NoteRefused as error:
        raise Broken(None, f"the {name} cannot be read: {error}") from error


def _times_us(note: SignedNote) -> set[int]:
    """The times that the signatures of a note carry, unverified; those of some types carry none."""
    return {
        int.from_bytes(line.signature[:_TIME_BYTES], "big") * _US
        for line in note.signatures
        if len(line.signature) - _TIME_BYTES in _TIMED_BYTES
    }


def _check_signature(
    note: SignedNote, name: str, log: LogRow, pinned_keys: Sequence[PinnedKey]
) -> None:
    try:
        for key in pinned_keys:
            if not key.is_witness and key.name == log.origin:
                key.verify(note)
    except SignatureRefused as error:
        raise Broken(
            None, f"the {name} is not signed by the key that was given: {error}"
        ) from error
