"""Verifies a store from all its bytes: every leaf, every root, and the chain over the batches.

``intact`` means that the store agrees with itself. Whoever can write everything in the database
can also rebuild everything in it: only a checkpoint that was kept outside shows that, and a store
that extends one is ``proved`` up to the checkpoint's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import Engine

from cryotrail_audit.checkpoints.anchors.anchoring import NO_OUTSIDE_ANCHOR
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.errors import StoreDamaged
from cryotrail_audit.evidence import EvidenceDatabase
from cryotrail_audit.evidence.postgresql import PostgresqlEvidenceDatabase
from cryotrail_audit.evidence.range import Broken
from cryotrail_audit.evidence.sqlite import SqliteEvidenceDatabase
from cryotrail_audit.migration import check_revision
from cryotrail_audit.verification.entries import Progress
from cryotrail_audit.verification.log import Given
from cryotrail_audit.verification.memory import LogMemory, recall, remember
from cryotrail_audit.verification.notes import HeldCheckpoint
from cryotrail_audit.verification.verifier import Verifier
from cryotrail_schemas.merkle import EMPTY_ROOT

Result = Literal["intact", "proved", "broken"]


class Verification(NamedTuple):
    """What a verifier found."""

    result: Result
    """``proved`` only when every entry was read and a checkpoint from outside covers each log."""
    size: int
    """Entries of the newest log that were found in order."""
    root: bytes
    """RFC 6962 root over them, computed."""
    first_broken_seq: int | None
    """None when the log is intact, or when the break concerns no entry or none that is known."""
    reason: str | None
    """What kind of break it is, in words."""
    checked_from_seq: int = 0
    """Entries before this one were not read in this run."""
    checkpoint_size: int | None = None
    """How many entries of the newest log a checkpoint from outside covers; None = no such one."""
    signature_checked: bool = False
    """Whether a key from outside the store verified every checkpoint that was given."""
    earlier_size: int = 0
    """Entries of the logs that the newest one continues, as far as they were read in this run."""

    @property
    def anchored(self) -> bool:
        """Whether the store was compared with something that is not in it, and fitted."""
        return self.checkpoint_size is not None

    @property
    def words(self) -> str:
        """The verdict as every surface says it."""
        if self.result == "broken":
            seq = self.first_broken_seq
            return "broken" if seq is None else f"broken at seq {seq}"
        if self.checkpoint_size is None:
            return f"{self.result}, {NO_OUTSIDE_ANCHOR}"
        if self.result == "proved":
            covered = "all" if self.checkpoint_size == self.size else self.checkpoint_size
            return f"proved, {covered} of {self.size} entries under a checkpoint held outside"
        return f"{self.result}, extends a checkpoint held outside"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be said beside the verdict, each a sentence."""
        said = []
        if self.checked_from_seq:
            said.append(f"entries before {self.checked_from_seq} were not read in this run")
        if self.result == "broken":
            return tuple(said)
        if self.earlier_size:
            said.append(
                f"it continues logs that were restored: their {self.earlier_size} entries were read"
                " as well, and what it says of them is so"
            )
        if self.checkpoint_size is None:
            said.append(
                f"{NO_OUTSIDE_ANCHOR}: keep a signed checkpoint where the database's owner cannot"
                " reach it, and give it with --checkpoint"
            )
            return tuple(said)
        if not self.signature_checked:
            said.append("signature not checked: give the log's public key with --log-key")
        if self.checkpoint_size < self.size:
            said.append(
                f"the {self.size - self.checkpoint_size} entries from {self.checkpoint_size} on are"
                " under no checkpoint held outside"
            )
        return tuple(said)


def verify(
    url: str,
    progress: Progress | None = None,
    *,
    checkpoint: bytes | Sequence[bytes] = (),
    pinned_key: PinnedKey | None = None,
    memory: Path | None = None,
) -> Verification:
    """Read every byte of the store and recompute everything that follows from it.

    Recomputed are the leaf of every entry from all its columns, the hash of its body, the density
    of ``seq`` and of every procedure's numbers, root and frontier of every batch, the chain over
    the batches with their positions and redeliveries, every tile, and what the log says of each
    topic and schema. Stored checkpoints and procedure heads must fit what was computed. What is
    appended meanwhile is not looked at. Nothing is written to the store.

    A database that cannot read its own files is ``broken``, and no error.

    :param checkpoint: signed notes that were kept outside; the store must extend each. Of the log,
        or of the chain over its batches, which covers the entries too.
    :param pinned_key: the log's public key, from outside: it must have signed them, and the notes
        in the store.
    :param memory: the verifier's own file. Entries that it knows to be verified are not read
        again; it is written anew unless the store is broken.
    :raises StoreNotReady: there is no store.
    :raises StoreUnavailable: the database does not answer.
    :raises NoteRefused, SignatureRefused: what was given is no checkpoint that the key signed.
    :raises CheckpointRefused: it is of another store, or of entries that this run does not read.
    :raises VerifierMemoryRefused: the file cannot be used, or is of another store.
    """
    notes = (checkpoint,) if isinstance(checkpoint, bytes) else checkpoint
    held = [HeldCheckpoint.read(note, pinned_key) for note in notes]
    known = None if memory is None else recall(memory)
    parsed = parse_url(url)
    engine = engine_of(parsed)
    try:
        with database_errors(name_of(parsed)):
            with engine.connect() as connection:
                check_revision(connection, name_of(parsed))
            with _database(engine).evidence() as evidence:
                given = Given(evidence, progress or (lambda _count: None), held, pinned_key)
                verifier = Verifier(given, known)
                found = _verified(verifier, held, known)
        if memory is not None and verifier.remembered is not None and found.result != "broken":
            remember(memory, verifier.remembered)
        return found
    except StoreDamaged as error:
        return Verification("broken", 0, EMPTY_ROOT, None, str(error))
    finally:
        engine.dispose()


def _database(engine: Engine) -> EvidenceDatabase:
    if engine.dialect.name == "sqlite":
        return SqliteEvidenceDatabase(Path(str(engine.url.database)))
    return PostgresqlEvidenceDatabase(engine)


def _verified(
    verifier: Verifier, held: Sequence[HeldCheckpoint], known: LogMemory | None
) -> Verification:
    start = 0 if known is None else known.start
    try:
        verifier.run()
    except Broken as broken:
        tree = verifier.tree
        return Verification(
            "broken", tree.size, tree.root(), broken.seq, broken.reason, checked_from_seq=start
        )
    anchored = [verifier.anchored.get(log.log_id, 0) for log in verifier.logs]
    return Verification(
        "proved" if known is None and all(anchored) else "intact",
        verifier.tree.size,
        verifier.tree.root(),
        None,
        None,
        checked_from_seq=start,
        checkpoint_size=anchored[-1] or None,
        signature_checked=bool(held) and all(one.is_signature_checked for one in held),
        earlier_size=verifier.earlier_size,
    )
