"""Runs the SQL files of a revision inside its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from sqlalchemy import Connection


def run_script(connection: Connection, name: str) -> None:
    """Run ``sql/<name>.<dialect>.sql``, each statement, in the transaction that is open."""
    dialect = connection.dialect.name
    script = files("cryotrail_audit.migrations") / "sql" / f"{name}.{dialect}.sql"
    sql = script.read_text(encoding="utf-8")
    # PostgreSQL takes the whole script at once; sqlite3 takes one statement at a time, and its
    # executescript() would commit first.
    statements = _statements(sql) if dialect == "sqlite" else [sql]
    for statement in statements:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _statements(sql: str) -> Iterator[str]:
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
