"""Whether a file is a sound outbox. SQLite finds most damage only when it comes upon it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from cryotrail_producers.outbox_file.layout import (
    APPLICATION_ID,
    FILE_VERSION,
    LAYOUTS,
    is_damage,
    lay_out,
    log_path,
    read_only,
)
from cryotrail_producers.outbox_file.row_checksum import WRITTEN_COLUMNS, row_checksum
from cryotrail_producers.salvage.write_ahead_log import read_write_ahead_log

_USUAL_PAGE_SIZE = 4096
_LATER_VERSIONS = 100
"""Up to here a number beyond ours is taken for the layout of a later cryotrail, not for damage."""


def is_outbox(path: Path) -> bool:
    """Whether a file says of itself, in its header, that it is an outbox."""
    with path.open("rb") as file:
        return file.read(72)[68:] == APPLICATION_ID.to_bytes(4, "big")


def damage_of(path: Path, *, rows: bool = False) -> str | None:
    """What is wrong with the file of an outbox that was in use once; None = it is sound.

    Nobody writes to it meanwhile; nothing is changed, so that nothing of it is covered up. What
    is no damage, such as a disk that cannot be read, or the layout of a later version, raises
    here or when the file is opened.

    :param rows: compare each event with its checksum, too.
    :raises sqlite3.Error, OSError: it cannot be read.
    """
    if not path.exists() or not path.stat().st_size:
        return "the file is empty"
    if not read_write_ahead_log(log_path(path), _USUAL_PAGE_SIZE).whole:
        return "its write-ahead log is damaged"
    try:
        with closing(read_only(path)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                return str(found)
            return _wrong_layout(connection) or (_wrong_row(connection) if rows else None)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_damage(error):
            return str(error)
        raise


def _wrong_layout(connection: sqlite3.Connection) -> str | None:
    application_id, version = connection.execute(
        "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application_id == APPLICATION_ID and FILE_VERSION < version <= _LATER_VERSIONS:
        return None  # which opening it refuses
    found = _columns(connection)
    layout = _layouts().get(found)
    if layout is None and application_id == APPLICATION_ID and 0 < version <= FILE_VERSION:
        return f"its tables are not those of layout {version}"
    # A later layout may have the same tables, and is for its own version to judge.
    if layout and version <= FILE_VERSION and (application_id, version) != (APPLICATION_ID, layout):
        return f"its header says layout {version}, its tables are those of layout {layout}"
    return None


def _wrong_row(connection: sqlite3.Connection) -> str | None:
    cursor = connection.execute(f"SELECT id, checksum, {', '.join(WRITTEN_COLUMNS)} FROM event")
    for id_, checksum, *columns in cursor:
        if checksum is not None and row_checksum(columns) != checksum:
            return f"event {id_} is not what was written"
    orphan = connection.execute(
        "SELECT id FROM event WHERE producer_no NOT IN (SELECT producer_no FROM producer) LIMIT 1"
    ).fetchone()
    return None if orphan is None else f"who numbered event {orphan[0]} is not in it"


def _columns(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Table and column names; the text of a layout may change with SQLite's version."""
    return frozenset(
        connection.execute(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
        )
    )


@cache
def _layouts() -> dict[frozenset[tuple[str, str]], int]:
    layouts = {}
    with closing(sqlite3.connect(":memory:")) as connection:
        for version, script in enumerate(LAYOUTS, 1):
            lay_out(connection, script)
            layouts[_columns(connection)] = version
    return layouts
