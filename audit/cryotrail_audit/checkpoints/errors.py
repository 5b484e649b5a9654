"""What signing, witnessing and anchoring refuse.

AuditError
└── CheckpointError
    ├── NoteRefused       bytes that are no signed note, checkpoint or procedure head
    ├── KeyRefused        a key file that cannot be read, or that others can read
    ├── SignatureRefused  a note that the pinned key did not sign
    ├── SigningRefused    the log is not the one that was signed before
    ├── MemoryLost        a key without the memory of what it signed
    └── AnchorFailed      a checkpoint did not reach a place outside; retriable
"""

from __future__ import annotations

from cryotrail_audit.errors import AuditError


class CheckpointError(AuditError):
    """Root of the errors around signed checkpoints."""


class NoteRefused(CheckpointError):
    """The bytes are not exactly what the format writes; nothing in them is to be believed."""


class KeyRefused(CheckpointError):
    """A key file holds no key, or is open to others, or would be overwritten."""


class SignatureRefused(CheckpointError):
    """A line of the pinned key does not verify, or a key of the file has not signed."""


class SigningRefused(CheckpointError):
    """The log contradicts what was signed before, or itself; nothing was signed."""


class MemoryLost(CheckpointError):
    """The memory of what was signed is missing, unreadable, or of another log."""


class AnchorFailed(CheckpointError):
    """A checkpoint could not be kept outside now; it is tried again."""

    retriable = True
