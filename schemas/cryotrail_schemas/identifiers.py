"""How identities are made: random and ordered by time when live, derived when replayed."""

from __future__ import annotations

from typing import Final
from uuid import NAMESPACE_DNS, UUID, uuid5

from uuid6 import uuid7

NAMESPACE: Final = uuid5(NAMESPACE_DNS, "cryotrail")
"""Namespace of every derived identity (UUIDv5, RFC 9562 section 5.5)."""


def new_event_id() -> UUID:
    """A new UUIDv7 (RFC 9562 section 5.7): its order is that of creation, to the millisecond."""
    # A plain UUID, since the subclass of uuid6 compares and pickles under its own name.
    return UUID(int=uuid7().int)


def replay_id(data_set: str, *parts: str) -> UUID:
    """The identity of one thing of a data set: the same input always gives the same UUIDv5.

    :param data_set: SHA-256 of the source's bytes in hexadecimal, so that two versions of a file
        never share an identity.
    :param parts: path of the thing within it, such as ``R01``, ``FreezeStarted``, ``1``, ``2``.
    """
    return uuid5(NAMESPACE, "/".join((data_set, *parts)))
