"""The databases of the candidates: a store of ours, or the one table that a peer writes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from postgres_server import PostgresServer
from psycopg import sql
from sqlalchemy import make_url

from cryotrail_audit.roles.applied import apply_roles
from cryotrail_audit.store import migrate

# The columns of ours that say what the event is and where it came from; no hashes, no headers, no
# second index, no guard. kafka_offset and the like may stay null.
_TABLE = """
create table event (
  event_id uuid primary key,
  event_type text not null,
  procedure_id uuid not null,
  occurred_us bigint not null,
  producer_id text,
  producer_seq bigint,
  procedure_seq bigint,
  topic text,
  part integer,
  kafka_offset bigint,
  kafka_timestamp_ms bigint,
  raw bytea not null
)
"""
# What an upsert overwrites leaves no trace in the table; this notes each write that is committed.
_WRITES = """
create table written (
  write_no bigint generated always as identity primary key,
  transaction_no bigint not null default pg_current_xact_id()::text::bigint,
  event_id uuid not null
);
create function note_write() returns trigger language plpgsql as $$
begin
  insert into written (event_id) values (new.event_id);
  return null;
end $$;
create trigger note_write after insert or update on event
  for each row execute function note_write();
"""


@contextmanager
def database(server: PostgresServer, name: str) -> Iterator[psycopg.Connection]:
    """A database for the length of a block; yields a connection of the harness to it."""
    identifier = sql.Identifier(name)
    with server.connect() as admin:
        admin.execute(sql.SQL("create database {}").format(identifier))
    try:
        with server.connect(name) as connection:
            connection.execute("set application_name = 'harness'")
            yield connection
    finally:
        with server.connect() as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(identifier))


def prepare_table(connection: psycopg.Connection, *, note_writes: bool) -> None:
    """Make the peer's table; ``note_writes`` keeps a list of all writes beside it."""
    connection.execute(_TABLE)
    if note_writes:
        connection.execute(_WRITES)


def prepare_store(server: PostgresServer, name: str) -> str:
    """Make an audit store with its roles; returns its URL as the writer."""
    migrate(server.url(name), origin=f"bench.example/{name}")
    writer = apply_roles(server.url(name), name).names.writer
    with server.connect(name) as admin:
        admin.execute(sql.SQL("alter role {} login").format(sql.Identifier(writer)))
    return make_url(server.url(name)).set(username=writer).render_as_string()
