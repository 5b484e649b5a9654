"""Where an entry stands among the entries of all logs of a store: its *place*.

A store has one log until it is restored from a backup and continued (:mod:`.continuing`). ``seq``
is the index in the tree of one log and begins at 0 in each. The place of an entry is the sizes of
the logs before its own, added up, plus its ``seq``: 0, 1, 2, … over the whole store, equal to
``seq`` while there is one log. A log that was continued never grows again, so no place ever changes.

Rows name other entries by their place: ``redelivery.seq``, ``entry.source_seq``, and what
administrative entries say of others. Positions, checkpoints and proofs are of one log: there
``seq`` and ``tree_size`` are the log's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from cryotrail_audit.errors import LogMissing
from cryotrail_audit.records import Entry
from cryotrail_audit.tables import BATCH, ENTRY, LOG


class PlacedLog(NamedTuple):
    """A log and where it begins."""

    log_id: int
    origin: str
    first: int
    """The place of its entry 0."""
    size: int
    """How many entries it had when it was looked at; of an older log, for good."""


class Places(NamedTuple):
    """The logs of a store by ``log_id``, which is 1, 2, …"""

    logs: Sequence[PlacedLog]

    def of(self, log_id: int, seq: int) -> int:
        """The place of an entry."""
        return self.logs[log_id - 1].first + seq

    def of_entry(self, entry: Entry) -> int:
        """The place of an entry."""
        return self.of(entry.log_id, entry.seq)

    def log_at(self, place: int) -> PlacedLog:
        """The log that an entry at a place is in; of a place beyond the end, the newest."""
        return next(log for log in reversed(self.logs) if log.first <= max(place, 0))

    def named(self, origin: str) -> PlacedLog | None:
        """The log of a name."""
        return next((log for log in self.logs if log.origin == origin), None)

    @property
    def size(self) -> int:
        """Entries of all logs."""
        return self.newest.first + self.newest.size

    @property
    def newest(self) -> PlacedLog:
        """The log that is appended to."""
        return self.logs[-1]

    def stretches(self, after: int, through: int) -> Iterator[tuple[int, int, int]]:
        """The part of each log with ``after < place <= through``: log_id, and both as ``seq``."""
        for log in self.logs:
            is_newest = log is self.newest
            if log.first > through or (not is_newest and after >= log.first + log.size - 1):
                continue
            yield log.log_id, after - log.first, through - log.first

    def through(self, place: int | None) -> ColumnElement[bool] | None:
        """The condition on ``entry`` that it stands at a place or before; None = all do."""
        if place is None:
            return None
        log = self.log_at(place)
        here = and_(ENTRY.c.log_id == log.log_id, ENTRY.c.seq <= place - log.first)
        return here if log.log_id == 1 else or_(ENTRY.c.log_id < log.log_id, here)

    def named_by(self, place: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition on ``entry`` that a column of another table names its place."""
        return or_(
            *(
                and_(
                    ENTRY.c.log_id == log.log_id,
                    ENTRY.c.seq == place - log.first,
                    *(() if log is self.newest else (place < log.first + log.size,)),
                )
                for log in self.logs
            )
        )


def read_places(connection: Connection) -> Places:
    """The logs of a store as they stand now.

    :raises LogMissing: there is none.
    """
    size = (
        select(BATCH.c.tree_size)
        .where(BATCH.c.log_id == LOG.c.log_id)
        .order_by(BATCH.c.batch_no.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(LOG.c.log_id, LOG.c.origin, func.coalesce(size, 0)).order_by(LOG.c.log_id)
    logs, first = [], 0
    for log_id, origin, tree_size in connection.execute(query):
        logs.append(PlacedLog(log_id, origin, first, tree_size))
        first += tree_size
    if not logs:
        raise LogMissing
    return Places(tuple(logs))
