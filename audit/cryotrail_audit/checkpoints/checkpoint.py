"""Checkpoints (https://c2sp.org/tlog-checkpoint): the size and root of a log at one moment.

The chain over the batches is signed in the same form under a name of its own, ``<origin>/batches``:
its size is the number of batches, its root the hash of the last one. That root is the end of a
chain, not of an RFC 6962 tree.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryotrail_audit.checkpoints import base64_text
from cryotrail_audit.checkpoints.errors import NoteRefused
from cryotrail_audit.checkpoints.note import check_key_name
from cryotrail_schemas.merkle import HASH_BYTES

BATCHES: Final = "/batches"
"""What follows the log's name in the origin of its batch chain."""

LARGEST_SIZE: Final = (1 << 63) - 1


class Checkpoint(NamedTuple):
    """What a checkpoint says; that somebody signed it is another matter."""

    origin: str
    size: int
    root: bytes
    """32 bytes."""

    def to_text(self) -> str:
        """The text that is signed: origin, size and root, a line each."""
        return f"{self.origin}\n{self.size}\n{base64_text.encode(self.root)}\n"


def batches_origin(origin: str) -> str:
    """The origin under which the batch chain of a log is signed."""
    return origin + BATCHES


def parse(text: str) -> Checkpoint:
    """Read a checkpoint's text.

    Extension lines are refused: the ML-DSA-44 signature does not cover them.

    :raises NoteRefused: anything that :meth:`Checkpoint.to_text` would not write again.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise NoteRefused("a checkpoint has three lines: origin, size and root")
    origin, size, root = lines[:3]
    check_key_name(origin)
    found = Checkpoint(origin, parse_size(size), base64_text.decode(root, "the root"))
    if len(found.root) != HASH_BYTES:
        raise NoteRefused(f"the root has {len(found.root)} bytes, not {HASH_BYTES}")
    return found


def parse_size(line: str) -> int:
    """A count in decimal digits without leading zeroes.

    :raises NoteRefused: anything else, or a count beyond 2^63 - 1.
    """
    if line.isascii() and line.isdecimal() and len(line) < 20:
        size = int(line)
        if str(size) == line and size <= LARGEST_SIZE:
            return size
    raise NoteRefused(f"{line!r:.40} is not a count")
