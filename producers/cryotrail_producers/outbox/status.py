"""What an outbox holds, in numbers: for lights, commands and metrics."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from cryotrail_producers.outbox_file.budget import ROW_BYTES, Budget
from cryotrail_producers.outbox_file.layout import read_only, translated

CLINICAL = "clinical"
TELEMETRY = "telemetry"


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
    bytes: int = 0
    """Of what waits, as its bound counts them: values, and 256 bytes beside each."""
    limit_bytes: int | None = None
    """The bound of ``bytes``; None = none, or several files together."""
    limit_age_s: float | None = None
    """The bound of ``oldest_age_s``; None = none, or several files together."""
    share: float | None = None
    """The greatest share of any bound that is used: from 0.8 there is a warning, at 1 events are
    refused or shed. None without bounds."""
    shedding: bool = False
    """Telemetry that may be shed is being shed."""
    shed_chunks: int = 0
    """Telemetry chunks that were shed since the files were made; each is in a report of a gap."""
    shed_samples: int = 0
    """The measured samples in them."""
    warnings: tuple[str, ...] = ()
    """A sentence for each bound that is near or reached."""


_UNACKNOWLEDGED = "FROM event INDEXED BY event_waiting WHERE acknowledged_us IS NULL"

_COUNTED = "SELECT waiting_rows, waiting_bytes, shedding, shed_chunks, shed_samples FROM outbox"

# Before layout 3, which a program of ours gives to the file when it opens it for writing.
_RECOUNTED = (
    f"SELECT count(*), coalesce(sum(length(value) + {ROW_BYTES}), 0), 0, 0, 0 {_UNACKNOWLEDGED}"
)

_LOST = " - coalesce((SELECT sum(lost_count) FROM loss), 0)"
"""What went with a damaged file had an id too, and was not sent as far as anybody knows."""


def read_status(connection: sqlite3.Connection, budget: Budget) -> OutboxStatus:
    """The status of the outbox behind an open connection."""
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    # A table expression, so that all is of one instant.
    waiting, waiting_bytes, shedding, shed_chunks, shed_samples, *rest = connection.execute(
        "SELECT counted.*,"
        f" (SELECT appended_us {_UNACKNOWLEDGED} ORDER BY id LIMIT 1),"
        # Ids are given without gaps and never again, so the last one counts all that came.
        " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)"
        f"{_LOST if layout >= 3 else ''},"
        " refused,"
        " (SELECT refusal FROM event INDEXED BY event_refused"
        "  WHERE refusal IS NOT NULL ORDER BY id LIMIT 1)"
        f" FROM outbox, ({_COUNTED if layout >= 3 else _RECOUNTED}) AS counted"
    ).fetchone()
    oldest_us, accepted, refused, problem = rest
    age_s = None if oldest_us is None else max(0.0, time.time() - oldest_us / 1e6)
    return OutboxStatus(
        waiting=waiting,
        sent=accepted - waiting,
        refused=refused,
        oldest_age_s=age_s,
        problem=problem,
        bytes=waiting_bytes,
        limit_bytes=budget.limit_bytes,
        limit_age_s=budget.limit_age_s,
        share=budget.share(waiting_bytes, age_s),
        shedding=bool(shedding),
        shed_chunks=shed_chunks,
        shed_samples=shed_samples,
        warnings=budget.warnings(waiting_bytes, age_s),
    )


def status_of_file(path: Path, budget: Budget) -> OutboxStatus:
    """The status of an outbox that this process does not use; nothing is opened for writing.

    A file that does not exist holds nothing.

    :raises OutboxError: it cannot be read, or is no outbox.
    """
    if not path.exists():
        return OutboxStatus(
            limit_bytes=budget.limit_bytes,
            limit_age_s=budget.limit_age_s,
            share=budget.share(0, None),
        )
    with translated(path, "read"), closing(read_only(path)) as connection:
        return read_status(connection, budget)


def by_file(clinical: OutboxStatus, telemetry: OutboxStatus) -> dict[str, OutboxStatus]:
    """The two statuses of a pair by name, each with what is its own.

    The clinical file keeps what was shed of the telemetry, since that becomes clinical events.
    """
    return {
        CLINICAL: replace(clinical, shed_chunks=0, shed_samples=0),
        TELEMETRY: replace(
            telemetry, shed_chunks=clinical.shed_chunks, shed_samples=clinical.shed_samples
        ),
    }


def together(parts: Iterable[OutboxStatus]) -> OutboxStatus:
    """The sum of several outboxes; the oldest, and the fullest, of all."""
    listed = list(parts)
    ages = [part.oldest_age_s for part in listed if part.oldest_age_s is not None]
    shares = [part.share for part in listed if part.share is not None]
    return OutboxStatus(
        waiting=sum(part.waiting for part in listed),
        sent=sum(part.sent for part in listed),
        refused=sum(part.refused for part in listed),
        oldest_age_s=max(ages, default=None),
        problem=next((part.problem for part in listed if part.problem is not None), None),
        bytes=sum(part.bytes for part in listed),
        share=max(shares, default=None),
        shedding=any(part.shedding for part in listed),
        shed_chunks=sum(part.shed_chunks for part in listed),
        shed_samples=sum(part.shed_samples for part in listed),
        warnings=tuple(warning for part in listed for warning in part.warnings),
    )
