"""Checkpoint files that a command is given; whatever is wrong with one, the file is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.errors import AuditError
from cryotrail_audit.verification.notes import HeldCheckpoint


def read_checkpoint(file: Path, pinned_keys: Sequence[PinnedKey] = ()) -> bytes:
    """The bytes of a signed checkpoint.

    :param pinned_keys: must have signed it; of several, the one of its log.
    :raises AuditError: the file cannot be read, is no checkpoint, or the key did not sign it.
    """
    try:
        note = file.read_bytes()
        HeldCheckpoint.read(note, pinned_keys)
    except OSError as error:
        raise AuditError(f"cannot read the checkpoint {file}: {error.strerror}") from error
    except NoteRefused as error:
        raise NoteRefused(
            f"{file} is no signed checkpoint: {error}",
            hint="cryotrail audit checkpoint --output FILE writes one",
        ) from error
    except SignatureRefused as error:
        raise SignatureRefused(f"the checkpoint {file}: {error}", hint=error.hint) from error
    return note
