"""Key stores of the tests, and looking for bytes in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cryotrail_producers.key_store.kek import create_kek, read_kek
from cryotrail_producers.key_store.sqlite import SqliteKeyStore


def kek_file(folder: Path) -> Path:
    """The key file of a folder, made when it is missing."""
    path = folder / "personal.kek"
    if not path.exists():
        create_kek(path)
    return path


def key_store(folder: Path) -> SqliteKeyStore:
    """The key store of a folder, opened or made."""
    return SqliteKeyStore(folder / "keys.sqlite3", read_kek(kek_file(folder)))


def files_below(*folders: Path) -> Iterator[Path]:
    """Every file in folders and below, whoever owns it."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def files_with(needles: Iterable[bytes], *folders: Path) -> set[tuple[str, bytes]]:
    """Name of the file and what was found in it, for every file that holds one of the needles."""
    wanted = list(needles)
    found = set()
    for path in files_below(*folders):
        content = path.read_bytes()
        found |= {(path.name, needle) for needle in wanted if needle in content}
    return found
