"""The signer: signs the log as far as it has hashed it itself, and never two pasts.

Order of one signing, each step durable before the next begins: the new rows are hashed and checked
against the memory; the memory is replaced; signatures are made; the notes go into the store; the
memory says that they are there. A process that dies in between has signed nothing that its memory
does not know, and signs the rest when it is started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint, batches_origin
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused, SigningRefused
from cryotrail_audit.checkpoints.growth import Progress
from cryotrail_audit.checkpoints.head import ProcedureHead, leaves_hash
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.log_reader import LogReader
from cryotrail_audit.checkpoints.memory import Memory, MemoryFile, ProcedureCount
from cryotrail_audit.checkpoints.note import SignedNote
from cryotrail_audit.checkpoints.stored import SignedNotes

Clock = Callable[[], float]


class Signed(NamedTuple):
    """What one signing made, all of it in the store."""

    checkpoint: Checkpoint
    note: SignedNote
    batches_note: SignedNote
    heads: tuple[SignedNote, ...]
    signed_s: int


def _silent(_count: int) -> None:
    pass


class Signer:
    """Signs one log with one key and one memory. Processes that share the memory take turns."""

    def __init__(self, url: str, key: LogKey, memory: MemoryFile, clock: Clock = time.time) -> None:
        """Open the store; its log must have the key's name.

        :raises StoreNotReady: there is no store.
        :raises SigningRefused: the key is of another log, or of a witness.
        """
        self._key, self._memory, self._clock = key, memory, clock
        self._looked_at = 0
        with ExitStack() as opened:
            self._reader = opened.enter_context(closing(LogReader(url)))
            self._notes = opened.enter_context(closing(SignedNotes.open(url)))
            self._check_key(self._notes.origin())
            opened.pop_all()

    def is_due(self, waited: bool) -> bool:
        """Whether there is something to sign; see :func:`~.following.follow`.

        :param waited: whether anything new counts; otherwise a procedure has to have ended.
        :raises MemoryLost: there is no memory of what was signed.
        """
        end = self._reader.end()
        if waited:
            self._looked_at = end.size
            memory = self._memory.load()
            if (end.size, memory.size) == (0, 0):
                return False
            # A log that got shorter is due as well: for the refusal.
            return bool(memory.heads_due) or end.batch_count != memory.published_batches
        first, self._looked_at = self._looked_at, end.size
        return bool(self._reader.ended_between(first, end.size))

    def entry_count(self) -> int:
        """How many entries the log has, as the store says."""
        return self._reader.end().size

    def memory(self) -> Memory:
        """What was signed last.

        :raises MemoryLost: the file is missing or damaged.
        """
        return self._memory.load()

    def sign(
        self,
        *,
        heads: Sequence[UUID] = (),
        full: bool = False,
        progress: Progress = _silent,
    ) -> Signed:
        """Sign the log as it is now, and the head of every procedure that ended since.

        :param heads: further procedures whose head is wanted.
        :param full: hash the log from its first entry on instead of from where it was left.
        :raises SigningRefused: the log is not the one that was signed before, or is empty.
        :raises MemoryLost: there is no memory of what was signed.
        """
        with self._memory.locked():
            before = self._memory.load()
            if before.origin != self._key.name:
                raise SigningRefused(f"the memory is of {before.origin}, not of {self._key.name}")
            return self._sign(before, self._grown(before, full, progress), heads)

    def sign_head(self, procedure_id: UUID) -> SignedNote:
        """Sign the log as it is now together with the head of one procedure; returns the head.

        :raises SigningRefused: see :meth:`sign`; or the log has no entry of the procedure.
        """
        signed = self.sign(heads=(procedure_id,))
        wanted = f"\n{procedure_id}\n"
        return next(note for note in signed.heads if wanted in note.text)

    def adopt(self, data: bytes, progress: Progress = _silent) -> Memory:
        """Make a new memory from a checkpoint that was kept outside; what was there is replaced.

        The whole log is hashed, and has to pass through the checkpoint's size with its root, and
        through those of all larger checkpoints in the store that this key signed; its batches,
        through the newest checkpoint of them there. Adopt the newest that there is: what was signed
        after it, and is in the store no longer, is not known.

        :param data: the signed note.
        :raises NoteRefused: it is no checkpoint.
        :raises SignatureRefused: it was not signed with this key.
        :raises SigningRefused: the log does not extend it.
        """
        note = notes.parse(data)
        self._key.pinned.verify(note)
        held = checkpoints.parse(note.text)
        if held.origin != self._key.name:
            raise SigningRefused(
                f"the checkpoint is of {held.origin}, not of {self._key.name}",
                hint="give the checkpoint of the log, not that of its batches",
            )
        with self._memory.locked():
            memory = self._reader.grown(
                Memory(held.origin),
                progress,
                known=self._signed(held),
                known_batches=self._signed_batches(),
            )
            self._memory.save(memory)
        return memory

    def close(self) -> None:
        """Give the connections back."""
        self._reader.close()
        self._notes.close()

    def _signed(self, held: Checkpoint) -> dict[int, bytes]:
        """The roots that this key signed, by size: the held one, and larger ones in the store."""
        known = {held.size: held.root}
        for stored in self._notes.checkpoints(held.origin):
            if stored.tree_size < held.size:
                break
            try:
                note = notes.parse(stored.note)
                self._key.pinned.verify(note)
                said = checkpoints.parse(note.text)
            except (NoteRefused, SignatureRefused):
                continue
            if known.setdefault(said.size, said.root) != said.root:
                raise SigningRefused(
                    f"two roots were signed with this key for size {said.size}: a fork",
                    hint="keep both notes, and use the key no more",
                )
        return known

    def _signed_batches(self) -> dict[int, bytes]:
        """The newest checkpoint of the batches in the store that this key signed."""
        stored = self._notes.newest_signed(batches_origin(self._key.name), self._key.pinned)
        return {} if stored is None else {stored.tree_size: stored.root}

    def _check_key(self, origin: str) -> None:
        if self._key.pinned.is_witness:
            raise SigningRefused("the key is a witness's; it does not sign for a log")
        if origin != self._key.name:
            raise SigningRefused(
                f"the log is named {origin}, the key {self._key.name}",
                hint="a key signs the log of its own name alone; one that was continued gets a new"
                " key: cryotrail audit keys create",
            )

    def _grown(self, before: Memory, full: bool, progress: Progress) -> Memory:
        if not full:
            return self._reader.grown(before, progress)
        # Tree and chain that were signed must come out again, from the bytes alone.
        found = self._reader.grown(
            Memory(before.origin),
            progress,
            known={before.size: before.frontier.root()},
            known_batches={before.batch_count: before.batch_hash},
        )
        return replace(
            found, published_batches=before.published_batches, heads_due=before.heads_due
        )

    def _sign(self, before: Memory, found: Memory, heads: Sequence[UUID]) -> Signed:
        if found.size == 0:
            raise SigningRefused("the log is empty: there is nothing to sign yet")
        ended = self._reader.ended_between(before.size, found.size)
        wanted = [procedure_id.bytes for procedure_id in heads]
        due = tuple(dict.fromkeys((*found.heads_due, *ended, *wanted)))
        signed_s = int(self._clock())
        texts = [self._head(found, procedure_id, signed_s).to_text() for procedure_id in due]
        memory = replace(found, heads_due=due)
        self._memory.save(memory)
        note, batches, *signed_heads = (
            self._key.sign(text, signed_s)
            for text in (memory.checkpoint.to_text(), memory.batches_checkpoint.to_text(), *texts)
        )
        self._notes.add((note, batches, *signed_heads), signed_s * 1_000_000)
        self._memory.save(memory.published())
        return Signed(memory.checkpoint, note, batches, tuple(signed_heads), signed_s)

    def _head(self, memory: Memory, procedure_id: bytes, signed_s: int) -> ProcedureHead:
        """A head over entries that are hashed again, and must be those that were counted."""
        name = UUID(bytes=procedure_id)
        count = memory.procedures.get(procedure_id)
        if count is None:
            raise SigningRefused(f"the log has no entry of procedure {name}")
        leaves = self._reader.leaves_of(procedure_id, count.entry_count)
        if ProcedureCount().with_leaves(leaves) != count:
            raise SigningRefused(
                f"the entries of procedure {name} are not those that were signed",
                hint="one of them was changed since: verify the store",
            )
        return ProcedureHead(
            memory.origin, name, count.entry_count, memory.size, leaves_hash(leaves), signed_s
        )
