"""Key files: a private one is its owner's alone, is never overwritten, and never half written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints.errors import KeyRefused

LARGEST_BYTES: Final = 16 * 1024

_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read(path: Path) -> str:
    """The text of a key file.

    :raises KeyRefused: it cannot be read, or is too large or not text.
    """
    try:
        with path.open("rb") as file:
            return _text(path, file.read(LARGEST_BYTES + 1))
    except OSError as error:
        raise KeyRefused(
            f"cannot read the key {path}: {error.strerror}",
            hint="make one: cryotrail audit keys create",
        ) from error


def read_private(path: Path) -> str:
    """The text of a private key file.

    :raises KeyRefused: it cannot be read, or its mode lets others than its owner at it.
    """
    try:
        # The mode of the file that was opened, not of what the name stands for a moment later.
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OPEN_TO_OTHERS:
                raise KeyRefused(
                    f"the private key {path} is open to others (mode {mode:04o})",
                    hint=f"chmod 600 {path}; if others had access to it, make a new key",
                )
            return _text(path, file.read(LARGEST_BYTES + 1))
    except OSError as error:
        raise KeyRefused(
            f"cannot read the private key {path}: {error.strerror}",
            hint="make one: cryotrail audit keys create",
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a new file with mode 0600, durably; its folder is made with mode 0700.

    :raises KeyRefused: there is a file already, or it cannot be written.
    """
    _write_new(path, text, 0o600)


def write_public(path: Path, text: str) -> None:
    """Write a new file that others may read, as far as the umask lets them.

    :raises KeyRefused: there is a file already, or it cannot be written.
    """
    _write_new(path, text, 0o644)


def _write_new(path: Path, text: str, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable_files.create(path, text.encode(), mode)
    except FileExistsError as error:
        raise KeyRefused(
            f"{path} is there already; a key is never overwritten",
            hint="keep it: what it signed can be checked with it alone. Or give another file",
        ) from error
    except OSError as error:
        raise KeyRefused(f"cannot write the key {path}: {error.strerror}") from error


def _text(path: Path, data: bytes) -> str:
    if len(data) > LARGEST_BYTES:
        raise KeyRefused(f"{path} is larger than a key")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise KeyRefused(f"{path} is no key: it is not ASCII text") from error
