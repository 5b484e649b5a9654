"""A store at one moment, for those who read more than one thing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.migration import check_revision


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """A connection that sees the store as it stands now, whatever is committed meanwhile.

    It is for reading: PostgreSQL refuses writes in it. What the server or the file refuses while
    it is open is raised as an error of the store.

    :raises StoreNotReady: there is no store, or it is of another revision.
    """
    parsed = parse_url(url)
    engine = engine_of(parsed)
    try:
        with database_errors(name_of(parsed)), engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            # The first statement: on SQLite too it is what fixes the moment.
            check_revision(connection, name_of(parsed))
            yield connection
    finally:
        engine.dispose()
