"""From what damaged outbox files lost to events that say so, one for each procedure concerned."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple
from uuid import UUID

from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.outbox_file.sealed_procedures import subject_of
from cryotrail_schemas.datum.times import instant
from cryotrail_schemas.events import (
    ActorRole,
    DataOrigin,
    Event,
    GapReason,
    Header,
    OutboxLossReported,
    TimeBasis,
)


class _Noted(NamedTuple):
    """A row of the table ``loss``."""

    event_id: bytes
    lost_producer_id: str
    found_us: int
    procedure_id: bytes | None
    subject_id: bytes | None
    data_origin: str | None
    salvaged_count: int
    lost_count: int | None


class LossReports:
    """Reports each loss of a pair of outboxes in the clinical one, once, whatever is killed.

    A report has the procedure whose events were concerned. Where nobody can tell any more which
    those were, it is the one of which an event is published next: most likely it was under way.
    Until there is one, each event is looked at once, however often :meth:`report` is called.

    Errors are those of :class:`~cryotrail_producers.outbox.outbox.Outbox`; what could not be reported
    stays noted.
    """

    def __init__(
        self, clinical: Outbox, telemetry: Outbox, make_entry: Callable[[Event], OutboxEntry]
    ) -> None:
        """``make_entry`` encodes a report as the publisher's own events are."""
        self._clinical = clinical
        self._telemetry = telemetry
        self._make_entry = make_entry
        self._looked_through: dict[tuple[bytes, Path], tuple[str, int]] = {}
        """By loss and file, up to which id no event tells of it, and who numbered there last."""

    def report(self) -> list[int]:
        """Accept a report of every loss whose procedure is known; returns the ids of the rows."""
        ids: list[int] = []
        for outbox in (self._clinical, self._telemetry):
            with outbox.reading() as connection:
                losses = _unreported(connection)
            for loss in losses:
                said = self._procedure_of(loss)
                if said is None:
                    continue
                entry = self._make_entry(_report(loss, *said))
                # Killed between the two files it is accepted again, with the same id and content.
                with self._clinical.writing() as connection:
                    if _was_reported(connection, loss):
                        continue  # by another process, meanwhile
                    ids += self._clinical.accept(connection, [entry])
                    _note_reported(connection, loss, said[0])
                if outbox is self._telemetry:
                    with outbox.writing() as connection:
                        _note_reported(connection, loss, said[0])
        return ids

    def _procedure_of(self, loss: _Noted) -> tuple[bytes, bytes, str] | None:
        """Procedure, subject and data origin, as far as an event of this outbox tells them."""
        if loss.procedure_id and loss.subject_id and loss.data_origin:
            return loss.procedure_id, loss.subject_id, loss.data_origin
        for outbox in (self._clinical, self._telemetry):
            found = self._told_by_an_event(outbox, loss)
            if found is not None:
                return found
        return None

    def _told_by_an_event(self, outbox: Outbox, loss: _Noted) -> tuple[bytes, bytes, str] | None:
        """By one that was not looked at before; one that tells is found until the loss is reported."""
        place = loss.event_id, outbox.path
        with outbox.reading() as connection, closing(connection.cursor()) as cursor:
            newest_producer_id, last_id = cursor.execute(
                "SELECT (SELECT producer_id FROM producer ORDER BY producer_no DESC LIMIT 1),"
                " (SELECT coalesce(max(id), 0) FROM event)"
            ).fetchone()
            # Another file that took the place of this one has a producer of its own, and its ids
            # may begin anew.
            producer_id, looked_through = self._looked_through.get(place, ("", 0))
            cursor.execute(
                "SELECT id, procedure_id, value FROM event WHERE id > ? AND id <= ?"
                f" AND {_tells(loss)} AND event_type <> 'OutboxLossReported' ORDER BY id",
                (
                    looked_through if producer_id == newest_producer_id else 0,
                    last_id,
                    loss.found_us if loss.procedure_id is None else loss.procedure_id,
                ),
            )
            for id_, procedure_id, value in cursor:
                subject = subject_of(value)
                if subject is not None:
                    self._looked_through[place] = newest_producer_id, id_ - 1
                    return procedure_id, *subject
            self._looked_through[place] = newest_producer_id, last_id
        return None


def _unreported(connection: Connection) -> list[_Noted]:
    rows = connection.execute(
        f"SELECT {', '.join(_Noted._fields)} FROM loss WHERE NOT reported ORDER BY found_us"
    )
    return [_Noted(*row) for row in rows]


def _was_reported(connection: Connection, loss: _Noted) -> bool:
    found = connection.execute(
        "SELECT reported FROM loss WHERE event_id = ?", (loss.event_id,)
    ).fetchone()
    return bool(found and found[0])


def _note_reported(connection: Connection, loss: _Noted, procedure_id: bytes) -> None:
    connection.execute(
        "UPDATE loss SET reported = 1, procedure_id = ? WHERE event_id = ?",
        (procedure_id, loss.event_id),
    )


def _tells(loss: _Noted) -> str:
    """The condition on an event that tells of a loss, with one parameter."""
    return "appended_us > ?" if loss.procedure_id is None else "procedure_id = ?"


def _report(
    loss: _Noted, procedure_id: bytes, subject_id: bytes, data_origin: str
) -> OutboxLossReported:
    found_at = instant(loss.found_us)
    return OutboxLossReported(
        header=Header(
            event_id=UUID(bytes=loss.event_id),
            procedure_id=UUID(bytes=procedure_id),
            subject_id=UUID(bytes=subject_id),
            actor_role=ActorRole.SYSTEM,
            occurred_at=found_at,
            time_basis=TimeBasis.UNKNOWN,
            data_origin=DataOrigin(data_origin),
        ),
        lost_producer_id=loss.lost_producer_id,
        to_at=found_at,
        salvaged_count=loss.salvaged_count,
        lost_count=loss.lost_count,
        reason=GapReason.UNKNOWN,
    )
