"""The proof that one entry is in the log, against a checkpoint that covers it."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import NamedTuple
from uuid import UUID

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.framing import leaf_hash, pack_head, pack_tail
from cryotrail_audit.history import read_entry_of
from cryotrail_audit.places import read_places
from cryotrail_audit.proofs.errors import ProofNotMade
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.proofs.tlog_proof import TlogProof, parse
from cryotrail_audit.records import Entry, IncomingRecord
from cryotrail_audit.snapshot import snapshot
from cryotrail_schemas.errors import ProofRefused

_VERIFY_HINT = "find out what was changed: cryotrail audit verify"


class EntryProof(NamedTuple):
    """An entry and the proof that it is in a checkpoint's tree."""

    entry: Entry
    checkpoint: Checkpoint
    proof: TlogProof

    def verify(self, written: bytes) -> None:
        """Check a proof file against the entry's own columns, hashed here once more.

        :raises ProofFileRefused: the bytes are no proof file.
        :raises ProofNotMade: they do not prove this entry.
        """
        try:
            if parse(written).verify(computed_leaf(self.entry)) == self.checkpoint:
                return
        except ProofRefused:
            pass
        raise ProofNotMade(
            f"the hashes that are stored do not lead from entry {self.entry.seq} to the root of"
            f" the checkpoint over {self.checkpoint.size} entries",
            hint=_VERIFY_HINT,
        )


def prove_entry(
    url: str,
    event_id: UUID,
    checkpoint_note: bytes | None = None,
    *,
    pinned_key: PinnedKey | None = None,
) -> EntryProof:
    """Prove that the entry of an event is in the log; verified before it is returned.

    The signatures of the checkpoint are looked at with the log's public key alone, which whoever
    is handed the proof needs as well.

    :param checkpoint_note: the signed note to prove it against; when left out, the largest
        checkpoint in the store.
    :param pinned_key: the log's public key: it must have signed the checkpoint.
    :raises ProofNotMade: there is no such entry, no checkpoint covers it, the checkpoint is of
        another log, or what is stored does not lead to its root.
    :raises NoteRefused, SignatureRefused: the note is no checkpoint that the key signed.
    """
    with snapshot(url) as connection, closing(SignedNotes.open(url)) as stored:
        entry = read_entry_of(connection, event_id, through_seq=None)
        if entry is None:
            raise ProofNotMade(
                f"no entry has the event id {event_id}",
                hint="it may still wait in an outbox: cryotrail outbox status",
            )
        places = read_places(connection)
        origin = places.logs[entry.log_id - 1].origin
        not_covered = partial(_not_covered, entry, origin, entry.log_id == places.newest.log_id)
        prover = Prover(connection, entry.log_id)
        if checkpoint_note is None:
            latest = (
                stored.latest_checkpoint(origin, at_most_size=prover.size)
                if pinned_key is None
                else stored.newest_signed(origin, pinned_key, at_most_size=prover.size)
            )
            if latest is None:
                raise not_covered("there is none")
            checkpoint_note = latest.note
        checkpoint = _covering(checkpoint_note, origin)
        if checkpoint.size <= entry.seq:
            raise not_covered(f"it covers {checkpoint.size} entries")
        if pinned_key is not None:
            pinned_key.verify(notes.parse(checkpoint_note))
        hashes = prover.inclusion(entry.seq, checkpoint.size)
    proof = TlogProof(entry.seq, tuple(hashes), checkpoint_note)
    made = EntryProof(entry, checkpoint, proof)
    made.verify(proof.to_text().encode())
    return made


def computed_leaf(entry: Entry) -> bytes:
    """The leaf hash of an entry, made from its columns."""
    head = pack_head(
        entry.log_id, entry.kind, entry.procedure_entry_no, entry.seq, entry.recorded_us
    )
    return leaf_hash(head, pack_tail(IncomingRecord(*entry[6:-1])))


def _covering(note: bytes, origin: str) -> Checkpoint:
    found = checkpoints.parse(notes.parse(note).text)
    if found.origin != origin:
        raise ProofNotMade(
            f"the checkpoint is of {found.origin}, the entry is in {origin}",
            hint="give a checkpoint of the log that the entry is in",
        )
    return found


def _not_covered(entry: Entry, origin: str, is_newest: bool, largest: str) -> ProofNotMade:
    if is_newest:
        return ProofNotMade(
            f"no checkpoint covers entry {entry.seq} yet ({largest})",
            hint="have one signed: cryotrail audit sign (the newest: cryotrail audit checkpoint)",
        )
    return ProofNotMade(
        f"no checkpoint covers entry {entry.seq} of {origin} ({largest}), a log that has ended with"
        " a restore: nothing of it is signed any more",
        hint="give a checkpoint of it that was kept outside and covers the entry: --checkpoint FILE."
        " If there is none, verify the newer log, whose first entry says what was signed",
    )
