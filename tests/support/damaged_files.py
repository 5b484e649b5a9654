"""What bad disks, and people, do to the files of an outbox that nobody has open."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

PAGE_SIZE = 4096


def copied_outbox(path: Path, folder: Path) -> Path:
    """The outbox as a killed process or a power cut leaves it: file, log and lock files."""
    folder.mkdir()
    for found in path.parent.iterdir():
        if found.name.startswith(path.name) and not found.name.endswith("-shm"):
            shutil.copy(found, folder / found.name)
    return folder / path.name


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def damage_header(path: Path, chance: random.Random) -> None:
    overwrite(path, 0, chance.randbytes(100))


def damage_page(path: Path, chance: random.Random) -> None:
    page = chance.randrange(path.stat().st_size // PAGE_SIZE)
    overwrite(path, page * PAGE_SIZE, chance.randbytes(PAGE_SIZE))


def zero_page(path: Path, chance: random.Random) -> None:
    page = chance.randrange(path.stat().st_size // PAGE_SIZE)
    overwrite(path, page * PAGE_SIZE, bytes(PAGE_SIZE))


def damage_bytes(path: Path, chance: random.Random) -> None:
    for _ in range(30):
        overwrite(path, chance.randrange(path.stat().st_size), chance.randbytes(1))


def truncate(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(PAGE_SIZE, path.stat().st_size))


def empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def not_a_database(path: Path, _: random.Random) -> None:
    path.write_text("Dear colleagues,\n" * 500, encoding="ascii")


def damage_log(path: Path, chance: random.Random) -> None:
    """Within the first half of the write-ahead log, so that commits follow."""
    log = log_of(path)
    overwrite(log, chance.randrange(log.stat().st_size // 2), chance.randbytes(200))


def damage_log_header(path: Path, chance: random.Random) -> None:
    overwrite(log_of(path), 0, chance.randbytes(24))


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    damage.__name__: damage
    for damage in (
        damage_header,
        damage_page,
        zero_page,
        damage_bytes,
        truncate,
        empty,
        not_a_database,
        damage_log,
        damage_log_header,
    )
}
