"""Checkpoints as files in a folder: another machine's share, write-once storage, a USB stick."""

from __future__ import annotations

from pathlib import Path

from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.errors import AnchorFailed, NoteRefused, SigningRefused


class FolderAnchor:
    """See :class:`~cryotrail_audit.checkpoints.anchors.anchor.Anchor`.

    The folder must be there: a share that is not mounted would else be written to beneath its
    mount point, that is, nowhere outside.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return f"file:{self._folder}"

    def keep(self, kept: Kept) -> None:
        try:
            for name, note in kept.files().items():
                write_note(self._folder / name, note)
        except OSError as error:
            raise AnchorFailed(
                f"{self.name}: {error.strerror}",
                hint="the folder must exist and be writable by the signer",
            ) from error


def write_note(path: Path, note: bytes) -> None:
    """Write a note whole or not at all; one with the same text is left as it is.

    :raises SigningRefused: there is a file with another text.
    :raises OSError: it cannot be written.
    """
    try:
        durable_files.create(path, note)
    except FileExistsError:
        _check_same(path, note)


def _check_same(path: Path, note: bytes) -> None:
    try:
        same = notes.parse(path.read_bytes()).text == notes.parse(note).text
    except NoteRefused:
        same = False
    if not same:
        raise SigningRefused(
            f"{path} holds another checkpoint for this size",
            hint="keep both: two signed roots of one size prove a fork",
        )
