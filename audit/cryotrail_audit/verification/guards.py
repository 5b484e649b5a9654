"""Whether the store still has its triggers, each switched on.

What a verifier says follows from the bytes, with guards or without: who takes them away and puts
them back again is not seen here. A store found without is no longer what ``audit init`` made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from sqlalchemy import Connection, text

_SCRIPTS: Final = ("v0001_append_only", "v0002_evidence")

_TRIGGER: Final = re.compile(r"^(create|drop) trigger (\w+)", re.MULTILINE)

_SWITCHED_ON: Final = {
    # tgenabled: "A" fires always, "O" not in replica mode (session_replication_role).
    "postgresql": "select tgname from pg_catalog.pg_trigger"
    " join pg_catalog.pg_class on pg_class.oid = tgrelid"
    " where relnamespace = 'audit'::regnamespace and not tgisinternal and tgenabled = 'A'",
    "sqlite": "select name from sqlite_master where type = 'trigger'",
}


def missing_guards(connection: Connection) -> Sequence[str]:
    """The triggers of a store that are not there, or not switched on for every session; by name.

    What a trigger of the right name does is not looked at.
    """
    dialect = connection.dialect.name
    found = set(connection.execute(text(_SWITCHED_ON[dialect])).scalars())
    return sorted(expected_guards(dialect) - found)


def expected_guards(dialect: str) -> set[str]:
    """The triggers that the migrations leave in a store."""
    expected: set[str] = set()
    for script in _SCRIPTS:
        file = files("cryotrail_audit.migrations") / "sql" / f"{script}.{dialect}.sql"
        for verb, name in _TRIGGER.findall(file.read_text(encoding="utf-8")):
            (expected.add if verb == "create" else expected.discard)(name)
    return expected
