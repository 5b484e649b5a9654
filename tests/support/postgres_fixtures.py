"""The real PostgreSQL and SQLite stores of the tests: one server a session, a database a test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from psycopg import sql

from cryotrail_audit.store import AuditStore, migrate, open_store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that does not wait for the disk, stopped and wiped at the end."""
    # Not pytest's own temporary folder: only its owner may enter that, and as root the server
    # runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-postgres-"))
    try:
        settings = {
            "fsync": "off",
            "full_page_writes": "off",
            "max_wal_size": "1GB",
            # Nobody replicates it: a database is then copied without its pages in the WAL.
            "wal_level": "minimal",
            "max_wal_senders": "0",
        }
        with PostgresServer(folder, settings) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _new_postgres_database(postgres_server: PostgresServer) -> Callable[[bool], str]:
    """Creates a database and returns its name; with True, one that holds a migrated store."""
    numbers = count(1)
    with postgres_server.connect() as connection:
        connection.execute("create database store_template")
    migrate(postgres_server.url("store_template"), origin="tests.example/store")

    def create(migrated: bool) -> str:
        name = f"test_{next(numbers)}"
        template = "store_template" if migrated else "template1"
        with postgres_server.connect() as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return name

    return create


@pytest.fixture
def empty_postgres_url(
    postgres_server: PostgresServer, _new_postgres_database: Callable[[bool], str]
) -> Iterator[str]:
    """The URL of a fresh database without anything in it."""
    name = _new_postgres_database(False)
    yield postgres_server.url(name)
    _drop(postgres_server, name)


@pytest.fixture
def postgres_url(
    postgres_server: PostgresServer, _new_postgres_database: Callable[[bool], str]
) -> Iterator[str]:
    """The URL of a fresh, empty audit store on PostgreSQL; the user is a superuser."""
    name = _new_postgres_database(True)
    yield postgres_server.url(name)
    _drop(postgres_server, name)


def _drop(server: PostgresServer, name: str) -> None:
    with server.connect() as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite-store") / "template.sqlite3"
    migrate(f"sqlite:///{file}", origin="tests.example/store")
    return file


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, empty audit store on SQLite."""
    file = tmp_path / "audit.sqlite3"
    shutil.copyfile(_sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, empty audit store: the test runs once on each database."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def audit_store(store_url: str) -> Iterator[AuditStore]:
    """An open, empty audit store: the test runs once on each database."""
    with closing(open_store(store_url)) as store:
        yield store
