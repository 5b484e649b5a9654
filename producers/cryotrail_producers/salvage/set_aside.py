"""Putting a new file in the place of a damaged one, so that no moment of it can lose anything.

The damaged file is renamed, with its ``-wal`` and ``-shm``, never deleted. What of it can be read is
written into a new file, which then takes its name. A marker that is written first says under which
name the old one goes: whoever finds the marker later goes on where a killed process ended, and
writes the same events, with the same ids.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cryotrail_producers.outbox_file.file_lock import FileLock
from cryotrail_producers.outbox_file.layout import log_path, translated
from cryotrail_producers.outbox_file.place_lock import PlaceLock
from cryotrail_producers.outbox_file.users import users_lock
from cryotrail_producers.salvage.readable_events import read_salvage
from cryotrail_producers.salvage.salvaged_file import write_salvaged
from cryotrail_producers.salvage.soundness import damage_of, is_outbox

_log = logging.getLogger(__name__)

_COMPANIONS = ("-wal", "-shm")


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Nobody else uses the file within; a replacement that was broken off is finished first."""
    with closing(PlaceLock(path)) as lock:
        lock.exclusive()
        if is_being_replaced(path):
            _finish(path)
        yield


def is_being_replaced(path: Path) -> bool:
    """Whether a replacement was begun and not finished. To who shares the place, it was broken off:
    no file may be opened or made at the path before somebody finishes it, :func:`alone_with` it."""
    return _marker(path).exists()


def file_id(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path; None when none does."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def replace_if_damaged(path: Path, known: tuple[int, int]) -> bool:
    """Replace the file ``known`` if it is damaged or gone; True when another stands there now.

    :raises OutboxError: it cannot be replaced, as on a full disk; the next try goes on.
    """
    with translated(path, "replace"), alone_with(path):
        if file_id(path) in (known, None):
            damage = damage_of(path, rows=True)
            if damage is None:
                return False
            set_aside(path, damage)
    return True


def make_sound(path: Path, users: FileLock) -> None:
    """Before an outbox is opened, by who is :func:`alone_with` it: replace it if it is damaged.

    While others have it open nothing is looked for: whoever comes upon damage replaces the file. A
    file that never was an outbox is left as it is, whatever it may be.

    :param users: locked alone, here, when nobody else has the outbox open.
    :raises OSError, sqlite3.Error: it cannot be read or replaced now; the next try goes on.
    """
    if not users.try_exclusive():
        return
    remains = path if path.exists() else log_path(path)
    if remains.exists() and (users.noted() or is_outbox(remains)):
        damage = damage_of(path)
        if damage is not None:
            set_aside(path, damage)


def set_aside(path: Path, damage: str) -> None:
    """Replace a damaged file; the caller is :func:`alone_with` it.

    :raises OSError, sqlite3.Error: it cannot be replaced now; the next try goes on.
    """
    now_us = time.time_ns() // 1000
    stamp = f"{datetime.fromtimestamp(now_us // 10**6, UTC):%Y%m%dT%H%M%SZ}"
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    while aside.exists():
        aside = aside.with_name(f"{aside.name}-again")
    path.touch()  # where only a log was left of it
    draft = path.with_name(f"{path.name}.replacing-draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(f"{now_us}\n{aside.name}\n{damage}")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(_marker(path))
    _sync_folder(path)
    _finish(path)


def files_set_aside(path: Path) -> list[Path]:
    """The damaged files that once stood at a path, oldest first; their companions are not listed."""
    if not path.parent.is_dir():
        return []
    return sorted(
        found
        for found in path.parent.iterdir()
        if found.name.startswith(f"{path.name}.damaged-") and not found.name.endswith(_COMPANIONS)
    )


def _marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.replacing")


def _finish(path: Path) -> None:
    now_us, name, damage = _marker(path).read_text(encoding="utf-8").split("\n", 2)
    aside = path.with_name(name)
    if not aside.exists():
        # The file itself goes last: while it is there, so are its companions or their copies.
        for companion in (*_COMPANIONS, ""):
            with suppress(FileNotFoundError):
                path.with_name(path.name + companion).rename(aside.with_name(name + companion))
        _sync_folder(path)
    if not path.exists():
        salvage = read_salvage(aside, log_path(aside))
        new = path.with_name(f"{path.name}.salvaged")
        for companion in (*_COMPANIONS, ""):
            new.with_name(new.name + companion).unlink(missing_ok=True)  # of a try broken off
        with closing(users_lock(path)) as users:
            losses = write_salvaged(new, salvage, int(now_us), users.noted())
        found = aside.stat()
        new.chmod(found.st_mode & 0o7777)
        with suppress(PermissionError):
            os.chown(new, found.st_uid, found.st_gid)
        new.rename(path)
        counts = [loss.lost_count for loss in losses]
        lost = "an unknown number" if None in counts else str(sum(filter(None, counts)))
        _log.error(
            "the outbox %s was damaged (%s): it is kept as %s; %d events were salvaged from it, "
            "%s lost",
            path,
            damage,
            aside.name,
            len(salvage.events),
            lost,
        )
    _sync_folder(path)
    _marker(path).unlink()
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
