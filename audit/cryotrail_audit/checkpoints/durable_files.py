"""Files that are there whole or not at all, and on the disk, name included, on return."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def create(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a new file.

    :param mode: before the umask.
    :raises FileExistsError: the name is taken; the file that has it is left as it is.
    :raises OSError: it cannot be written.
    """
    # A link refuses a name that is taken, where a rename would replace the other file.
    _write(path, data, mode, lambda temporary: os.link(temporary, path))


def replace(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file in place of whatever has the name.

    :param mode: before the umask.
    :raises OSError: it cannot be written.
    """
    _write(path, data, mode, lambda temporary: temporary.replace(path))


def _write(path: Path, data: bytes, mode: int, name: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)  # of a process that died and had our number
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        name(temporary)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
