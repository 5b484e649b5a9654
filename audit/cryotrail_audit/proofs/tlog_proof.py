"""The file that a proof travels in: C2SP tlog-proof (https://c2sp.org/tlog-proof).

It shows that a leaf hash stands at an index of the tree that a checkpoint names. It holds no data:
who checks one makes the leaf hash from the entry's own bytes, and knows the key that signed the
checkpoint. The line of opaque extra data that the format allows is neither written nor read: no
hash and no signature covers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryotrail_audit.checkpoints import base64_text, checkpoint, note
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import NoteRefused
from cryotrail_audit.proofs.errors import ProofFileRefused
from cryotrail_schemas.merkle import HASH_BYTES
from cryotrail_schemas.merkle_proofs import verify_inclusion

HEADER: Final = "c2sp.org/tlog-proof@v1"

MOST_HASHES: Final = 63
"""The depth of the largest tree that a checkpoint may name."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof of inclusion with the checkpoint that it leads to."""

    index: int
    """Of the leaf; for an entry its ``seq``."""
    hashes: tuple[bytes, ...]
    """From the leaf's sibling up."""
    checkpoint_note: bytes
    """The signed note, as the log issued it."""

    def to_text(self) -> str:
        """The file's text, in UTF-8 with newlines."""
        hashes = "".join(f"{base64_text.encode(each)}\n" for each in self.hashes)
        return f"{HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint_note.decode()}"

    def checkpoint(self) -> Checkpoint:
        """What the checkpoint says; its signatures are not looked at.

        :raises NoteRefused: the note is no checkpoint.
        """
        return checkpoint.parse(note.parse(self.checkpoint_note).text)

    def verify(self, leaf_hash: bytes) -> Checkpoint:
        """Check that a leaf is in the checkpoint's tree; returns the checkpoint.

        That the checkpoint is the log's own is proved by its signature alone, which is not
        checked here. Give a leaf hash that was made from the entry's bytes, never a stored one.

        :raises ProofRefused: it is not proved to be there.
        :raises NoteRefused: the note is no checkpoint.
        """
        found = self.checkpoint()
        verify_inclusion(leaf_hash, self.index, found.size, self.hashes, found.root)
        return found


def parse(data: bytes) -> TlogProof:
    """Read a proof file.

    :raises ProofFileRefused: anything that :meth:`TlogProof.to_text` would not write again byte
        for byte, or more hashes than any tree is deep.
    """
    try:
        head, border, signed = data.decode("utf-8").partition("\n\n")
        header, index, *hashes = head.split("\n", MOST_HASHES + 2)
        if (header, border) != (HEADER, "\n\n") or not index.startswith("index "):
            raise ProofFileRefused(f"the file does not begin as a {HEADER} does")
        found = TlogProof(
            checkpoint.parse_size(index.removeprefix("index ")),
            tuple(_parse_hash(line) for line in hashes),
            signed.encode(),
        )
        found.checkpoint()
    except (UnicodeDecodeError, ValueError, NoteRefused) as error:
        raise ProofFileRefused(f"the file is no {HEADER}: {error}") from error
    if found.to_text().encode() != data:
        raise ProofFileRefused("the file is not spelled as proof files are")
    return found


def _parse_hash(line: str) -> bytes:
    found = base64_text.decode(line, "a hash of the proof")
    if len(found) != HASH_BYTES:
        raise ProofFileRefused(f"a hash of the proof has {len(found)} bytes, not {HASH_BYTES}")
    return found
