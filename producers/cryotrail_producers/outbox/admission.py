"""What of the entries that want into an outbox has room, decided in a write transaction of its file.

An entry without room is shed when it may be (its settings declare its channel so), else the whole
call that it came in is refused. Once something was shed, everything that may be is shed until what
waits has fallen below the warning line: long gaps say more than many short ones.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from cryotrail_producers.errors import OutboxFull
from cryotrail_producers.outbox_file.budget import (
    RESERVED_TYPES,
    ROW_BYTES,
    WARNING_SHARE,
    Budget,
    size_text,
    span_text,
)
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry, number_and_insert
from cryotrail_schemas.signing import Signer

_LOOK_AGAIN_S = 1.0


class Oldest:
    """Since when the oldest event waits in a file, looked up at most once a second."""

    def __init__(self) -> None:
        self._look_at = 0.0
        self._appended_us: int | None = None

    def age_s(self, connection: sqlite3.Connection) -> float:
        """Zero when nothing waits. Up to a second late in noticing that it was sent."""
        if time.monotonic() >= self._look_at:
            found = connection.execute(
                "SELECT appended_us FROM event INDEXED BY event_waiting"
                " WHERE acknowledged_us IS NULL ORDER BY id LIMIT 1"
            ).fetchone()
            self._appended_us = None if found is None else found[0]
            self._look_at = time.monotonic() + _LOOK_AGAIN_S
        return 0.0 if self._appended_us is None else time.time() - self._appended_us / 1e6


class Admission:
    """Decides for one transaction, one call after the other. :meth:`settle` ends it."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, budget: Budget, oldest: Oldest
    ) -> None:
        self._path = path
        self._budget = budget
        self._connection = connection
        self._limit_bytes = float("inf") if budget.limit_bytes is None else budget.limit_bytes
        self._waiting_bytes, self._was_shedding = connection.execute(
            "SELECT waiting_bytes, shedding FROM outbox"
        ).fetchone()
        self._age_s = 0.0 if budget.limit_age_s is None else oldest.age_s(connection)
        self._too_old = budget.limit_age_s is not None and self._age_s >= budget.limit_age_s
        self._shedding = (
            bool(self._was_shedding)
            and (budget.share(self._waiting_bytes, self._age_s) or 0.0) >= WARNING_SHARE
        )

    def admit(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        """Take room for the entries of one call; returns for each whether it has, else it is shed.

        :raises OutboxFull: one has no room and may not be shed; none of them has taken any.
        """
        size = sum(len(entry.value) for entry in entries) + ROW_BYTES * len(entries)
        if (
            self._waiting_bytes + size <= self._limit_bytes
            and not self._shedding
            and not self._too_old
        ):
            self._waiting_bytes += size
            return [True] * len(entries)
        return self._admit_singly(entries)

    def settle(self) -> None:
        """Note in the file whether samples are being shed, when that has changed."""
        if self._shedding != bool(self._was_shedding):
            self._connection.execute("UPDATE outbox SET shedding = ?", (int(self._shedding),))

    @property
    def shedding(self) -> bool:
        """Everything that may be shed is."""
        return self._shedding

    def _admit_singly(self, entries: Sequence[OutboxEntry]) -> list[bool]:
        before = self._waiting_bytes, self._shedding
        admitted = []
        for entry in entries:
            reserved = entry.event_type in RESERVED_TYPES
            needed = self._waiting_bytes + len(entry.value) + ROW_BYTES
            limit = self._limit_bytes + (self._budget.reserve_bytes if reserved else 0)
            fits = needed <= limit and (reserved or not self._too_old)
            if entry.sheddable is not None and (self._shedding or not fits):
                self._shedding = True
                admitted.append(False)
            elif fits:
                self._waiting_bytes = needed
                admitted.append(True)
            else:
                waiting_bytes = self._waiting_bytes
                self._waiting_bytes, self._shedding = before
                raise self._full(waiting_bytes, needed > limit)
        return admitted

    def _full(self, waiting_bytes: int, no_bytes_left: bool) -> OutboxFull:
        if no_bytes_left:
            bound = size_text(self._limit_bytes)
            reason = f"{size_text(waiting_bytes)} wait in it, and {bound} is its bound"
        else:
            reason = (
                f"its oldest event has waited {span_text(self._age_s)}, and"
                f" {span_text(self._budget.limit_age_s or 0.0)} is the bound"
            )
        return OutboxFull(self._path, reason)


def accept_calls(
    connection: sqlite3.Connection,
    calls: Sequence[Sequence[OutboxEntry]],
    admission: Admission,
    signer: Signer | None,
) -> list[list[int | None] | OutboxFull]:
    """Number and insert what has room of calls that share a transaction, and settle ``admission``.

    Returns for each call its ids, None for an entry that is shed; or why it is refused, which it
    is alone.
    """
    decisions = [_decision(admission, entries) for entries in calls]
    ids = iter(
        number_and_insert(
            connection,
            [
                entry
                for entries, decision in zip(calls, decisions, strict=True)
                if not isinstance(decision, OutboxFull)
                for entry, has_room in zip(entries, decision, strict=True)
                if has_room
            ],
            signer,
        )
    )
    admission.settle()
    return [
        decision
        if isinstance(decision, OutboxFull)
        else [next(ids) if has_room else None for has_room in decision]
        for decision in decisions
    ]


def _decision(admission: Admission, entries: Sequence[OutboxEntry]) -> list[bool] | OutboxFull:
    try:
        return admission.admit(entries)
    except OutboxFull as full:
        return full
