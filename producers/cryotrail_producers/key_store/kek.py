"""The key-encrypting key: 32 random bytes in a file of their own, which only its owner may read.

It wraps every data key. Keep it where neither the audit store's backups nor those of the key
store go: whoever has it and a copy of the key store reads everything, and without it nobody
reads anything.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from cryotrail_producers.errors import KekRefused

KEK_LENGTH: Final = 32


def create_kek(path: Path) -> None:
    """Make a new key file, mode 0600, synced to the disk.

    :raises KekRefused: a file of that name exists (it is left as it is), or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEK_LENGTH))
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise KekRefused(
            f"{path} exists, and is kept as it is",
            hint="what it wraps could not be read with another key; name another file",
        ) from None
    except OSError as error:
        raise KekRefused(f"cannot make the key file {path}: {error.strerror}") from error


def read_kek(path: Path) -> bytes:
    """The key of a file.

    :raises KekRefused: it is absent, unreadable, readable to others than its owner, or does not
        hold exactly 32 bytes.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            kek = file.read(KEK_LENGTH + 1)
    except FileNotFoundError:
        raise KekRefused(
            f"the key file {path} is not there, so personal text can be neither written nor read",
            hint="restore it from its own backup; for the very first time: cryotrail audit"
            " personal-keys create",
        ) from None
    except OSError as error:
        raise KekRefused(f"cannot read the key file {path}: {error.strerror}") from error
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise KekRefused(
            f"the key file {path} can be read by others (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 {path}",
        )
    if len(kek) != KEK_LENGTH:
        raise KekRefused(
            f"the key file {path} does not hold {KEK_LENGTH} bytes",
            hint="restore it from its backup, byte for byte",
        )
    return kek
