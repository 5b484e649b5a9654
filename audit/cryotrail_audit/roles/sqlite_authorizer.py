"""What our own connections to an SQLite store may do: read and append.

SQLite asks the authorizer once when it compiles a statement, so an append, whose statements are
compiled once a connection, does not pay for it. It guards against a slip of this program's own:
whoever opens the file with another program has the triggers against them, and verification.
"""

from __future__ import annotations

import sqlite3
import sys
from typing import Final

# https://sqlite.org/c3ref/c_alter_table.html.  What is not named is refused: UPDATE, DELETE,
# everything that creates, drops or alters, ATTACH and DETACH (VACUUM attaches), ANALYZE, REINDEX.
_ALLOWED: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
}

# With an argument these only look; every other pragma may be read and not set.
_LOOKING_PRAGMAS: Final = {
    "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo",
    "integrity_check", "quick_check", "table_info", "table_list", "table_xinfo",
    "wal_checkpoint",
}  # fmt: skip


def allow_only_appending(connection: sqlite3.Connection) -> None:
    """Refuse whatever is not reading or appending, for as long as the connection lives.

    A refused statement raises :class:`sqlite3.DatabaseError` (``SQLITE_AUTH``, "not authorized")
    before it does anything. Pragmas that set something are to be run before.
    """
    connection.set_authorizer(_authorize)
    if sys.version_info >= (3, 12):
        # No writing to the schema table or to shadow tables, no corrupting pragma:
        # https://sqlite.org/c3ref/c_dbconfig_defensive.html
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def _authorize(
    action: int, name: str | None, value: str | None, _database: str | None, _trigger: str | None
) -> int:
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_INSERT:
        allowed = name is not None and not name.startswith("sqlite_")
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = value is None or name in _LOOKING_PRAGMAS
    else:
        allowed = False
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
