"""What an outbox holds, in numbers: for lights, commands and metrics."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryotrail_producers.outbox_file import read_only, translated


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """What one outbox, or several together, hold."""

    waiting: int = 0
    """Accepted and not acknowledged by Kafka."""
    sent: int = 0
    """Acknowledged since the file was made."""
    refused: int = 0
    """Events that the SDK refused since the file was made."""
    oldest_age_s: float | None = None
    """Since the oldest waiting event was accepted; None when nothing waits."""
    problem: str | None = None
    """Why Kafka refuses the oldest event that it refused; it and its procedure's later ones wait."""


def read_status(connection: sqlite3.Connection) -> OutboxStatus:
    """The status of the outbox behind an open connection, at one instant."""
    waiting, oldest_us, accepted, refused, problem = connection.execute(
        "SELECT (SELECT count(*) FROM event INDEXED BY event_waiting"
        "        WHERE acknowledged_us IS NULL),"
        " (SELECT appended_us FROM event INDEXED BY event_waiting"
        "  WHERE acknowledged_us IS NULL ORDER BY id LIMIT 1),"
        # Ids are given without gaps and never again, so the last one counts all that came.
        " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0),"
        " refused,"
        " (SELECT refusal FROM event INDEXED BY event_refused"
        "  WHERE refusal IS NOT NULL ORDER BY id LIMIT 1)"
        " FROM outbox"
    ).fetchone()
    return OutboxStatus(
        waiting=waiting,
        sent=accepted - waiting,
        refused=refused,
        oldest_age_s=None if oldest_us is None else max(0.0, time.time() - oldest_us / 1e6),
        problem=problem,
    )


def status_of_file(path: Path) -> OutboxStatus:
    """The status of an outbox that this process does not use; nothing is opened for writing.

    A file that does not exist holds nothing.

    :raises OutboxError: it cannot be read, or is no outbox.
    """
    if not path.exists():
        return OutboxStatus()
    with translated(path, "read"), closing(read_only(path)) as connection:
        return read_status(connection)


def together(parts: Iterable[OutboxStatus]) -> OutboxStatus:
    """The sum of several outboxes; the oldest of all."""
    listed = list(parts)
    ages = [part.oldest_age_s for part in listed if part.oldest_age_s is not None]
    return OutboxStatus(
        waiting=sum(part.waiting for part in listed),
        sent=sum(part.sent for part in listed),
        refused=sum(part.refused for part in listed),
        oldest_age_s=max(ages, default=None),
        problem=next((part.problem for part in listed if part.problem is not None), None),
    )
