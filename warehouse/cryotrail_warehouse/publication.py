"""Publications: complete copies of the marts, one file each, behind one symlink.

``warehouse.duckdb`` -> ``warehouse-000123.duckdb``. A publication is never changed, so a reader
keeps a consistent snapshot for as long as it holds the file open, also past its removal; it sees
the next one when it attaches the link anew. Nothing here waits for readers or makes them wait.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from cryotrail_warehouse.errors import NothingPublished, WarehouseError

LINK_NAME: Final = "warehouse.duckdb"
KEPT: Final = 3
"""Publications that stay: the current one and two before it, for readers between two looks."""

_VERSION = re.compile(r"warehouse-(?P<number>\d{6,})\.duckdb")


def published_path(warehouse_dir: Path) -> Path:
    """The stable path of the published file, to be attached read-only and anew for each refresh.

    :raises NothingPublished: no refresh has run in this folder.
    """
    link = warehouse_dir / LINK_NAME
    if not link.exists():
        raise NothingPublished(
            f"no warehouse has been published in {warehouse_dir}",
            hint="cryotrail warehouse refresh",
        )
    return link


def published_number(warehouse_dir: Path) -> int | None:
    """The number of the publication that the link points to; None when it points nowhere."""
    link = warehouse_dir / LINK_NAME
    if not link.exists():
        return None
    match = _VERSION.fullmatch(link.readlink().name)
    return int(match["number"]) if match else None


def highest_number(warehouse_dir: Path) -> int:
    """The highest number in use in the folder, 0 when there is none."""
    return max(_publications(warehouse_dir), default=0)


def publish(marts: Path, warehouse_dir: Path, number: int) -> Path:
    """Copy the marts to a new publication, read-only, and point the link at it.

    The caller has just run CHECKPOINT. The copy is made by a child process: this one holds the
    marts open, and closing any second descriptor of that file here would drop DuckDB's lock on it
    (POSIX locks belong to the process and the file, not to the descriptor).

    :returns: the new file.
    :raises WarehouseError: the copy failed; the link still points to the last publication.
    """
    target = warehouse_dir / f"warehouse-{number:06d}.duckdb"
    # What a crash left under this name was never linked, so nobody reads it.
    target.unlink(missing_ok=True)
    copy = subprocess.run(
        ["cp", "--", marts, target],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for us: the copy in hand is finished
    )
    if copy.returncode:
        target.unlink(missing_ok=True)
        raise WarehouseError(f"cannot publish {target}: {copy.stderr.strip()}")
    target.chmod(0o444)
    _sync(target)
    _point_link(warehouse_dir, target.name)
    return target


def remove_old(warehouse_dir: Path) -> list[Path]:
    """Remove all publications but the newest ones; returns those that stay, the oldest first."""
    publications = sorted(_publications(warehouse_dir).items())
    for _, path in publications[:-KEPT]:
        path.unlink()
    return [path for _, path in publications[-KEPT:]]


def _point_link(warehouse_dir: Path, name: str) -> None:
    # A relative target: the folder may be mounted or moved elsewhere.
    new = warehouse_dir / f"{LINK_NAME}.new"
    new.unlink(missing_ok=True)
    new.symlink_to(name)
    new.replace(warehouse_dir / LINK_NAME)
    _sync(warehouse_dir)


def _publications(warehouse_dir: Path) -> dict[int, Path]:
    return {
        int(match["number"]): path
        for path in warehouse_dir.iterdir()
        if (match := _VERSION.fullmatch(path.name))
    }


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
