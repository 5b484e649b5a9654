"""Verifies a store from all its bytes: every leaf, every root, and the chain over the batches.

``intact`` means that the store agrees with itself. Whoever can write everything in the database
can also rebuild everything in it: only a checkpoint that was kept outside shows that, and a store
that extends one is ``proved`` up to the checkpoint's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from cryotrail_audit.checkpoints.anchors.anchoring import NO_OUTSIDE_ANCHOR
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.errors import StoreDamaged
from cryotrail_audit.evidence import LogRow
from cryotrail_audit.evidence.databases import evidence_of
from cryotrail_audit.evidence.range import Broken
from cryotrail_audit.migration import check_revision
from cryotrail_audit.verification.entries import Progress
from cryotrail_audit.verification.guards import missing_guards
from cryotrail_audit.verification.log import Given
from cryotrail_audit.verification.memory import LogMemory, recall, remember
from cryotrail_audit.verification.notes import HeldCheckpoint
from cryotrail_audit.verification.verifier import Verifier
from cryotrail_schemas.merkle import EMPTY_ROOT

_MOST_NAMED: Final = 6
"""Guards that a remark names; all of them stand in ``missing_guards``."""

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
    earlier_anchored: bool = False
    """Whether a checkpoint from outside covers entries of a log that the newest one continues."""
    not_read: str | None = None
    """What an earlier run had read and this one did not, in words."""
    missing_guards: tuple[str, ...] = ()
    """Triggers that a store has and this one has not, or not switched on; see ``guards``."""

    @property
    def entry_count(self) -> int:
        """Entries of all logs that were found in order."""
        return self.earlier_size + self.size

    @property
    def anchored(self) -> bool:
        """Whether the store was compared with something that is not in it, and fitted."""
        return self.checkpoint_size is not None or self.earlier_anchored

    @property
    def words(self) -> str:
        """The verdict as every surface says it."""
        if self.result == "broken":
            seq = self.first_broken_seq
            return "broken" if seq is None else f"broken at seq {seq}"
        if not self.anchored:
            return f"{self.result}, {NO_OUTSIDE_ANCHOR}"
        if self.result == "proved":
            covered = "all" if self.checkpoint_size == self.size else self.checkpoint_size
            return f"proved, {covered} of {self.size} entries under a checkpoint held outside"
        return f"{self.result}, extends a checkpoint held outside"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be said beside the verdict, each a sentence."""
        said = []
        if self.not_read is not None:
            said.append(f"{self.not_read} were not read in this run")
        if self.missing_guards:
            named = ", ".join(self.missing_guards[:_MOST_NAMED])
            more = len(self.missing_guards) - _MOST_NAMED
            said.append(
                "the store is not guarded as it was made: missing or switched off:"
                f" {named}{f' and {more} more' if more > 0 else ''}"
            )
        if self.result == "broken":
            return tuple(said)
        if self.earlier_size:
            said.append(
                f"it continues logs that were restored: their {self.earlier_size} entries are in"
                " order as well, and what it says of them is so"
            )
        if not self.anchored:
            said.append(
                f"{NO_OUTSIDE_ANCHOR}: keep a signed checkpoint where the database's owner cannot"
                " reach it, and give it with --checkpoint"
            )
            return tuple(said)
        if not self.signature_checked:
            said.append("signature not checked: give the log's public key with --log-key")
        covered = self.checkpoint_size or 0
        if covered < self.size:
            of = " of the newest log" if self.earlier_anchored else ""
            said.append(
                f"the {self.size - covered} entries{of} from {covered} on are under no checkpoint"
                " held outside"
            )
        return tuple(said)


def verify(
    url: str,
    progress: Progress | None = None,
    *,
    checkpoint: bytes | Sequence[bytes] = (),
    pinned_key: PinnedKey | Sequence[PinnedKey] = (),
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
        in the store. Of a store that was continued, the keys of its logs.
    :param memory: the verifier's own file. Entries that it knows to be verified are not read
        again; it is written anew unless the store is broken.
    :raises StoreNotReady: there is no store.
    :raises StoreUnavailable: the database does not answer.
    :raises NoteRefused, SignatureRefused: what was given is no checkpoint that the key signed.
    :raises CheckpointRefused: it is of another store, or of entries that this run does not read.
    :raises VerifierMemoryRefused: the file cannot be used, or is of another store.
    """
    notes = (checkpoint,) if isinstance(checkpoint, bytes) else checkpoint
    keys = (pinned_key,) if isinstance(pinned_key, PinnedKey) else pinned_key
    held = [HeldCheckpoint.read(note, keys) for note in notes]
    known = None if memory is None else recall(memory)
    parsed = parse_url(url)
    engine = engine_of(parsed)
    try:
        with database_errors(name_of(parsed)):
            with engine.connect() as connection:
                check_revision(connection, name_of(parsed))
                guards = missing_guards(connection)
            with evidence_of(engine).evidence() as evidence:
                given = Given(evidence, progress or (lambda _count: None), held, keys)
                verifier = Verifier(given, known)
                found = _verified(verifier, held, known)._replace(missing_guards=tuple(guards))
        if memory is not None and verifier.remembered is not None and found.result != "broken":
            remember(memory, verifier.remembered)
        return found
    except StoreDamaged as error:
        return Verification("broken", 0, EMPTY_ROOT, None, str(error))
    finally:
        engine.dispose()


def _verified(
    verifier: Verifier, held: Sequence[HeldCheckpoint], known: LogMemory | None
) -> Verification:
    start = 0 if known is None else known.start
    try:
        verifier.run()
    except Broken as broken:
        tree = verifier.tree
        return Verification(
            "broken",
            tree.size,
            tree.root(),
            broken.seq,
            broken.reason,
            checked_from_seq=start,
            not_read=_not_read(verifier.logs, known),
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
        earlier_anchored=any(anchored[:-1]),
        not_read=_not_read(verifier.logs, known),
    )


def _not_read(logs: Sequence[LogRow], known: LogMemory | None) -> str | None:
    """What a run that goes on from a memory leaves out."""
    if known is None or not logs:
        return None
    of = f" of {known.origins[-1]}" if len(logs) > 1 else ""
    left_out = [f"entries{of} before {known.start}"] * (known.start > 0)
    left_out += [f"entries of {' and '.join(known.origins[:-1])}"] * (known.log_id > 1)
    return " and ".join(left_out) or None
