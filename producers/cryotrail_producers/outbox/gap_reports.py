"""From samples that were shed to events that say so, in the clinical outbox."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from cryotrail_producers.outbox import telemetry_gaps
from cryotrail_producers.outbox.connection import OutboxConnection
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.outbox_file.layout import translated
from cryotrail_producers.outbox_file.shed_samples import ShedSamples
from cryotrail_schemas.events import Event, TelemetryGapReported


class GapReports:
    """Keeps what was shed, and reports each of it once, whatever is killed in between.

    Errors are those of :class:`~cryotrail_producers.outbox.outbox.Outbox`; what could not be reported
    stays noted.
    """

    def __init__(self, clinical: Outbox, make_entry: Callable[[Event], OutboxEntry]) -> None:
        """``make_entry`` encodes a report as the publisher's own events are."""
        self._clinical = clinical
        self._make_entry = make_entry
        self._noting_lock = threading.Lock()
        # Not synced, like the samples themselves: what is shed at a high rate must not hold up a
        # clinical commit by its own. The next clinical commit takes it to the disk with it.
        with translated(clinical.path, "open"):
            self._noting = OutboxConnection(clinical.path, "NORMAL")

    def note(self, shed: Sequence[ShedSamples]) -> None:
        """Remember what was shed: durable against the death of the process when this returns."""
        with self._noting_lock, self._noting.writing() as connection:
            telemetry_gaps.note(connection, shed, _now_us())

    def report_due(self, older_than_s: float) -> list[int]:
        """Accept a report of each gap that began so long ago; returns the ids of the rows."""
        now_us = _now_us()
        due = now_us - int(older_than_s * 1e6), now_us
        with self._noting_lock, self._noting.reading() as connection:
            # Mostly there is none, and then nothing is written.
            if not telemetry_gaps.gaps_due(connection, *due):
                return []
        with self._clinical.writing() as connection:
            return self._report(connection, telemetry_gaps.gaps_due(connection, *due))

    def report_of(self, procedure_id: UUID) -> list[int]:
        """Accept the reports of one procedure."""
        with self._noting_lock, self._noting.reading() as connection:
            if not telemetry_gaps.gaps_of(connection, procedure_id):
                return []
        with self._clinical.writing() as connection:
            return self.report_within(connection, procedure_id)

    def report_within(self, connection: sqlite3.Connection, procedure_id: UUID) -> list[int]:
        """The same in a transaction of the caller on the clinical file, as before a seal."""
        return self._report(connection, telemetry_gaps.gaps_of(connection, procedure_id))

    def close(self) -> None:
        """Let go of the file."""
        self._noting.close()

    def _report(
        self, connection: sqlite3.Connection, reports: Sequence[TelemetryGapReported]
    ) -> list[int]:
        ids = self._clinical.accept(connection, [self._make_entry(report) for report in reports])
        telemetry_gaps.forget(connection, reports)
        return ids


def _now_us() -> int:
    return time.time_ns() // 1000
