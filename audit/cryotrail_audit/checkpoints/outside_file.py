"""A checkpoint in a file that is kept outside: it is replaced by what extends it, and by nothing else.

Whoever keeps one writes it again and again under one name. A log that was rolled back or rewritten
meanwhile must not wipe out the one thing that shows it, nor may a name that was mistyped take a key.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from cryotrail_audit.batch_chain import NO_BATCH
from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint, batches_origin
from cryotrail_audit.checkpoints.errors import CheckpointError, NoteRefused
from cryotrail_audit.places import PlacedLog, read_places
from cryotrail_audit.proofs.errors import ProofNotMade
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.snapshot import snapshot
from cryotrail_audit.tables import BATCH
from cryotrail_schemas.merkle_proofs import ProofRefused, verify_consistency

_VERIFY_HINT = (
    "keep the file as it is, it is evidence: cryotrail audit verify --checkpoint {file}; after a"
    " restore, cryotrail audit continue"
)


def held_in(file: Path, origin: str) -> Checkpoint | None:
    """The checkpoint that a file holds, its signature not checked; None = there is no such file.

    :raises CheckpointError: what is there is anything but a signed checkpoint of this origin.
    """
    try:
        found = checkpoints.parse(notes.parse(file.read_bytes()).text)
    except FileNotFoundError:
        return None
    except (OSError, NoteRefused) as error:
        raise CheckpointError(
            f"{file} is there already and is no signed checkpoint: it is not overwritten",
            hint="give the name of a new file, or of a checkpoint of this log",
        ) from error
    if found.origin != origin:
        raise CheckpointError(
            f"{file} is there already and holds a checkpoint of {found.origin}, not of {origin}:"
            " it is not overwritten",
            hint="give the name of a new file, and keep that one",
        )
    return found


def replace(url: str, file: Path, note: bytes) -> None:
    """Write a checkpoint in place of one that it extends, or as a new file; all of it or nothing.

    That it extends the one in the file is shown from the hashes that the store has, which
    are not recomputed here: that is for ``verify`` to do.

    :param note: a signed checkpoint of a log of the store, or of its batch chain.
    :raises CheckpointError: the file holds something else, or a checkpoint that this one does not
        extend; it is left as it is.
    """
    new = checkpoints.parse(notes.parse(note).text)
    held = held_in(file, new.origin)
    if held is not None:
        _check_extends(url, file, held, new)
    try:
        durable_files.replace(file, note)
    except OSError as error:
        raise CheckpointError(f"cannot write the checkpoint {file}: {error.strerror}") from error


def _check_extends(url: str, file: Path, held: Checkpoint, new: Checkpoint) -> None:
    hint = _VERIFY_HINT.format(file=file)
    with snapshot(url) as connection:
        places = read_places(connection)
        log = next(one for one in places.logs if new.origin in _origins(one))
        is_of_batches = new.origin != log.origin
        what = "batches" if is_of_batches else "entries"
        if held.size > new.size:
            raise CheckpointError(
                f"{file} holds a checkpoint of {held.size} {what}, the log has only {new.size}"
                " that are signed: it was rolled back?",
                hint=hint,
            )
        if is_of_batches:
            extends = _batch_hash(connection, log, held.size) == held.root
        else:
            extends = _leads(Prover(connection, log.log_id), held, new)
    if not extends or (held.size == new.size and held.root != new.root):
        raise CheckpointError(
            f"{file} holds a checkpoint of {held.size} {what} that the log does not extend: the"
            " past was rewritten?",
            hint=hint,
        )


def _origins(log: PlacedLog) -> tuple[str, str]:
    return log.origin, batches_origin(log.origin)


def _leads(prover: Prover, held: Checkpoint, new: Checkpoint) -> bool:
    """Whether the stored hashes lead from the one root to the other."""
    try:
        if not 0 < held.size < new.size:
            return prover.root(held.size) == held.root
        proof = prover.consistency(held.size, new.size)
        verify_consistency(held.size, held.root, new.size, new.root, proof)
    except (ProofNotMade, ProofRefused):
        return False
    return True


def _batch_hash(connection: Connection, log: PlacedLog, count: int) -> bytes | None:
    """The end of the chain over the first so many batches."""
    if count == 0:
        return NO_BATCH
    found: bytes | None = connection.execute(
        select(BATCH.c.batch_hash).where(
            BATCH.c.log_id == log.log_id, BATCH.c.batch_no == count - 1
        )
    ).scalar()
    return found
