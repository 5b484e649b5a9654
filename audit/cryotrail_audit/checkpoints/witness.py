"""A witness: hashes a log for itself, with a key and a memory of its own, and cosigns it.

What a log's own signer can be made to sign twice, by whoever has its host, a witness on another
host sees once. It cosigns the largest checkpoint that the pinned key of the log signed, if the
bytes of the log give its root and extend what the witness cosigned before.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import NamedTuple

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint, batches_origin
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused, SigningRefused
from cryotrail_audit.checkpoints.growth import Progress
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey
from cryotrail_audit.checkpoints.log_reader import LogReader
from cryotrail_audit.checkpoints.memory import Memory, MemoryFile
from cryotrail_audit.checkpoints.note import SignedNote
from cryotrail_audit.checkpoints.signer import Clock
from cryotrail_audit.checkpoints.stored import SignedNotes, StoredCheckpoint


class Cosigned(NamedTuple):
    """What a witness added, all of it in the store."""

    checkpoint: Checkpoint
    note: SignedNote
    """With the lines of the log and of every witness so far."""
    batches_note: SignedNote
    signed_s: int


class Witness:
    """Cosigns one log with one key and one memory. Processes that share the memory take turns."""

    def __init__(
        self,
        url: str,
        key: LogKey,
        log_key: PinnedKey,
        memory: MemoryFile,
        clock: Clock = time.time,
    ) -> None:
        """Open the store.

        :param log_key: the public key of the log, handed over by its owner.
        :raises StoreNotReady: there is no store.
        :raises SigningRefused: the key is not a witness's, or the store's log has another name.
        """
        if not key.pinned.is_witness:
            raise SigningRefused(
                "the key is a log's: a witness has its own",
                hint="make one: cryotrail audit keys create --witness NAME",
            )
        self._key, self._log_key, self._memory, self._clock = key, log_key, memory, clock
        with ExitStack() as opened:
            self._reader = opened.enter_context(closing(LogReader(url)))
            self._notes = opened.enter_context(closing(SignedNotes.open(url)))
            if (origin := self._notes.origin()) != log_key.name:
                raise SigningRefused(f"the log is named {origin}, the pinned key {log_key.name}")
            opened.pop_all()

    def is_due(self, _waited: bool) -> bool:
        """Whether the log has signed what this witness has not cosigned; see ``follow``."""
        origin = batches_origin(self._log_key.name)
        newest = self._notes.newest_signed(origin, self._log_key)
        return newest is not None and newest.tree_size != self._memory.load().published_batches

    def entry_count(self) -> int:
        """How many entries the log has, as the store says."""
        return self._reader.end().size

    def memory(self) -> Memory:
        """What was cosigned last.

        :raises MemoryLost: the file is missing or damaged.
        """
        return self._memory.load()

    def cosign(self, *, full: bool = False, progress: Progress = lambda _count: None) -> Cosigned:
        """Cosign the newest checkpoint of the log.

        :param full: hash the log from its first entry on instead of from where it was left.
        :raises SigningRefused: there is none that the pinned key signed, or the log is not the one
            that was cosigned before, or its bytes do not give what was signed.
        :raises MemoryLost: there is no memory of what was cosigned.
        """
        with self._memory.locked():
            before = self._memory.load()
            if before.origin != self._log_key.name:
                raise SigningRefused(
                    f"the memory is of {before.origin}, not of {self._log_key.name}"
                )
            return self._cosign(before, full, progress)

    def close(self) -> None:
        """Give the connections back."""
        self._reader.close()
        self._notes.close()

    def _cosign(self, before: Memory, full: bool, progress: Progress) -> Cosigned:
        batches = self._newest(batches_origin(before.origin))
        if batches.tree_size < before.batch_count:
            raise SigningRefused(
                f"the newest checkpoint that the log signed is over {batches.tree_size} batches,"
                f" {before.batch_count} were cosigned: it was rolled back"
            )
        found = self._reader.grown(
            Memory(before.origin) if full else before,
            progress,
            known={before.size: before.frontier.root()} if full else None,
            known_batches={before.batch_count: before.batch_hash} if full else None,
            through_batches=batches.tree_size,
        )
        if found.batches_checkpoint.root != batches.root:
            raise SigningRefused("the log signed another chain of batches than the store has")
        signed = self._newest(before.origin, found.size)
        if (signed.tree_size, signed.root) != found.checkpoint[1:]:
            raise SigningRefused(
                f"the log signed another root than its {found.size} entries give: keep both, they"
                " prove a fork"
            )
        signed_s = int(self._clock())
        memory = replace(found, published_batches=before.published_batches, heads_due=())
        self._memory.save(memory)
        note, batches_note = (
            self._key.cosign(self._collected(stored), signed_s) for stored in (signed, batches)
        )
        self._notes.add((note, batches_note), signed_s * 1_000_000)
        self._memory.save(memory.published())
        return Cosigned(memory.checkpoint, note, batches_note, signed_s)

    def _newest(self, origin: str, at_most_size: int | None = None) -> StoredCheckpoint:
        found = self._notes.newest_signed(origin, self._log_key, at_most_size)
        if found is None:
            raise SigningRefused(
                f"the store has no checkpoint of {origin} that the pinned key signed",
                hint=f"the fingerprint of the pinned key is {self._log_key.fingerprint}",
            )
        return found

    def _collected(self, stored: StoredCheckpoint) -> SignedNote:
        """The note with the lines that other witnesses added, and none of this one's."""
        base = notes.parse(stored.note)
        lines = dict.fromkeys(base.signatures)
        for other in self._notes.checkpoints(stored.origin, stored.tree_size):
            if other.tree_size < stored.tree_size:
                break
            try:
                note = notes.parse(other.note)
                self._log_key.verify(note)
            except (NoteRefused, SignatureRefused):
                continue
            if note.text == base.text:
                lines |= dict.fromkeys(note.signatures)
        own = [line for line in lines if line.name != self._key.name]
        return SignedNote(base.text, tuple(own[: notes.MOST_SIGNATURES - 2]))


def witnesses_of(note: SignedNote, keys: Iterable[PinnedKey]) -> Sequence[str]:
    """The names of those witnesses, of the ones given, who cosigned a checkpoint.

    A policy is then a number: how many of which witnesses are enough.

    :raises NoteRefused: the note is no checkpoint.
    """
    checkpoints.parse(note.text)
    found = []
    for key in keys:
        try:
            key.verify(note)
        except SignatureRefused:
            continue
        if key.is_witness and key.name not in found:
            found.append(key.name)
    return found
