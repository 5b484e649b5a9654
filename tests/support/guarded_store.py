"""A store on PostgreSQL that has its roles, and users who become them when they connect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from audit_records import filled_store
from sqlalchemy import make_url

from cryotrail_audit.roles.applied import apply_roles
from cryotrail_audit.roles.names import RoleNames


class GuardedStore(NamedTuple):
    """The store by its superuser's URL, with one user for each role."""

    url: str
    names: RoleNames

    def url_of(self, role: str) -> str:
        """The URL of the user that becomes a role: ``writer``, ``reader``, ``signer``, ``owner``."""
        return make_url(self.url).set(username=self.user_of(role)).render_as_string()

    def user_of(self, role: str) -> str:
        """The user that becomes the role when it connects."""
        return f"{getattr(self.names, role)}_user"

    @contextmanager
    def connection(self, role: str) -> Iterator[psycopg.Connection]:
        """A connection past the store, in autocommit mode; ``superuser`` is a role too."""
        parsed = make_url(self.url if role == "superuser" else self.url_of(role))
        with psycopg.connect(
            host=parsed.host, port=parsed.port, user=parsed.username, dbname=parsed.database,
            autocommit=True,
        ) as connection:  # fmt: skip
            yield connection


def guarded_store(url: str, *, filled: bool = True) -> GuardedStore:
    """Put rows into an empty store if asked to, give it its roles, and make a user for each.

    Roles belong to the server: these are named after the database, which a test has to itself.
    """
    if filled:
        filled_store(url)
    prefix = f"audit_{make_url(url).database}"
    names = apply_roles(url, prefix).names
    store = GuardedStore(url, names)
    with store.connection("superuser") as connection:
        for role in RoleNames._fields:
            user, becomes = store.user_of(role), getattr(names, role)
            connection.execute(
                f"create role {user} login noinherit in role {becomes};"
                f"alter role {user} set role = '{becomes}'".encode()
            )
    return store
