"""What an anchor is given to keep."""

from __future__ import annotations

from typing import NamedTuple

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import BATCHES, Checkpoint


class Kept(NamedTuple):
    """The checkpoint of a log and that of its batch chain, as signed notes."""

    note: bytes
    batches_note: bytes

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says."""
        return checkpoints.parse(notes.parse(self.note).text)

    def files(self) -> dict[str, bytes]:
        """Both notes by the names of their files: ``<size>.note``, ``<size>.batches.note``."""
        return {file_name(note): note for note in (self.note, self.batches_note)}


def file_name(note: bytes) -> str:
    """The name of a note's file."""
    said = checkpoints.parse(notes.parse(note).text)
    kind = ".batches" if said.origin.endswith(BATCHES) else ""
    return f"{said.size}{kind}.note"
