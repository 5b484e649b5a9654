"""Direct access to a store's tables, past the store: what its guards are for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

TABLES = (
    "log", "topic", "schema", "entry", "batch", "batch_partition", "claim", "redelivery",
    "tile", "checkpoint", "procedure_head",
)  # fmt: skip


class Tables(Protocol):
    """A connection in autocommit mode; table names without a schema, ``%s`` for parameters."""

    refusals: tuple[type[Exception], ...]

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, if it has any."""
        ...

    def drop_guards(self) -> None:
        """What a superuser, or whoever can write the file, can do: no trigger, no check is left."""
        ...

    def columns(self, table: str) -> dict[str, str]:
        """Name and type of each column, from the catalogue; ``?`` = may be null."""
        ...


class _Sqlite:
    refusals = (sqlite3.IntegrityError,)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.replace("%s", "?"), parameters).fetchall()

    def drop_guards(self) -> None:
        for (name,) in self.execute("select name from sqlite_master where type = 'trigger'"):
            self.execute(f"drop trigger {name}")
        self.execute("pragma ignore_check_constraints = on")

    def columns(self, table: str) -> dict[str, str]:
        rows = self.execute(f"pragma table_info({table})")
        return {name: kind.lower() + "?" * (not filled) for _, name, kind, filled, *_ in rows}


class _Postgresql:
    refusals = (psycopg.errors.RestrictViolation,)

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        connection.execute("set search_path = audit, pg_catalog")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def drop_guards(self) -> None:
        for table in TABLES:
            self.execute(f"alter table {table} disable trigger all")
        for table, name in self.execute(
            "select conrelid::regclass, conname from pg_constraint"
            " where contype = 'c' and connamespace = 'audit'::regnamespace"
        ):
            self.execute(f'alter table {table} drop constraint "{name}"')

    def columns(self, table: str) -> dict[str, str]:
        return dict(
            self.execute(
                "select column_name::text,"
                " data_type::text || case is_nullable when 'YES' then '?' else '' end"
                " from information_schema.columns"
                " where table_schema = 'audit' and table_name = %s order by ordinal_position",
                [table],
            )
        )  # type: ignore[arg-type]


@contextmanager
def tables_of(url: str) -> Iterator[Tables]:
    """Connect to a store's database past the store."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(parsed.database), isolation_level=None)) as connection:
            yield _Sqlite(connection)
    else:
        with psycopg.connect(
            host=parsed.host, port=parsed.port, user=parsed.username, dbname=parsed.database,
            autocommit=True,
        ) as connection:  # fmt: skip
            yield _Postgresql(connection)
