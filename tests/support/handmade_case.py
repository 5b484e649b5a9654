"""Procedures written by hand, an event at a time, in minutes from the first skin puncture."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import count
from json import dumps
from typing import Any, TypeVar, get_type_hints
from uuid import UUID, uuid5

from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import (
    ActorRole,
    DataOrigin,
    Event,
    EventAmended,
    EventVoided,
    FieldChange,
    FreezeStarted,
    FreezeStopped,
    Header,
    ProbeInserted,
    ProcedureEnded,
    ProcedureScheduled,
    ProcedureStarted,
    ThawStarted,
    ThawStopped,
    TimeBasis,
)

SPACE = UUID("5eed0000-0000-4000-8000-000000000000")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

E = TypeVar("E", bound=Event)


class Case:
    """One procedure of one subject; every event it makes has an id of its own."""

    def __init__(
        self,
        number: int,
        *,
        subject: int | None = None,
        start: datetime = START,
        data_origin: DataOrigin = DataOrigin.LIVE,
    ) -> None:
        self.label = f"CRYO-{number:04d}"
        self.procedure_id = uuid5(SPACE, f"procedure {number}")
        self.subject_id = uuid5(SPACE, f"subject {number if subject is None else subject}")
        self.lesion_id = uuid5(SPACE, f"lesion {number}")
        self.start = start
        self.data_origin = data_origin
        self._numbers = count(1)

    def at(self, kind: type[E], minute: float, /, **given: Any) -> E:
        """An event at a minute; a code list that is not given is UNKNOWN."""
        hints = get_type_hints(kind)
        unsaid = {
            field.name: hints[field.name]("UNKNOWN")
            for field in fields(kind)
            if field.default is MISSING
            and field.name not in given
            and isinstance(hints[field.name], type)
            and issubclass(hints[field.name], StrEnum)
        }
        return kind(header=self.header(minute, kind.TYPE), **unsaid, **given)

    def header(self, minute: float, type_name: str) -> Header:
        """The common header of an event at a minute."""
        return Header(
            event_id=uuid5(self.procedure_id, f"{type_name} {next(self._numbers)}"),
            procedure_id=self.procedure_id,
            subject_id=self.subject_id,
            lesion_id=self.lesion_id,
            device_id="console-1",
            actor_role=ActorRole.OPERATOR,
            occurred_at=self.start + timedelta(minutes=minute),
            time_basis=TimeBasis.DEVICE_SYNCED,
            data_origin=self.data_origin,
        )

    def scheduled(self, **given: Any) -> ProcedureScheduled:
        """Scheduled a week before."""
        said = {"procedure_label": self.label, "protocol_id": "seed-2016"} | given
        return self.at(ProcedureScheduled, -7 * 24 * 60, **said)

    def cycle(
        self, probe: str, cycle_no: int, start: float, freeze: float = 20, thaw: float = 10
    ) -> list[Event]:
        """The four events of a freeze and the thaw right after it."""
        frozen = start + freeze
        cycle: dict[str, Any] = {"probe_id": probe, "cycle_no": cycle_no}
        return [
            self.at(FreezeStarted, start, **cycle),
            self.at(FreezeStopped, frozen, **cycle),
            self.at(ThawStarted, frozen, **cycle),
            self.at(ThawStopped, frozen + thaw, **cycle),
        ]

    def whole(self, end: float = 90) -> list[Event]:
        """A plain procedure: one probe, two cycles."""
        return [
            self.scheduled(),
            self.at(ProcedureStarted, 0),
            self.at(ProbeInserted, 5, probe_id="1", probe_no=1),
            *self.cycle("1", 1, 10),
            *self.cycle("1", 2, 40),
            self.at(ProcedureEnded, end),
        ]

    def void(self, target: Event, minute: float = 200) -> EventVoided:
        """Takes an event of any type back."""
        return self.at(EventVoided, minute, target_event_id=target.header.event_id)

    def amend(
        self,
        target: Event,
        path: str,
        value: object,
        *,
        minute: float = 200,
        supersedes: Event | None = None,
        checked: bool = False,
    ) -> EventAmended:
        """Changes one field; with ``checked`` it names the content that its author saw."""
        change = FieldChange(
            path=path,
            value_json=dumps(value),
            supersedes_event_id=supersedes.header.event_id if supersedes else None,
        )
        seen = sha256(encode(target)).digest() if checked else None
        return self.at(
            EventAmended,
            minute,
            target_event_id=target.header.event_id,
            target_content_hash=seen,
            changes=(change,),
        )

    def time(self, minute: float) -> str:
        """A minute as an amendment writes it."""
        return (self.start + timedelta(minutes=minute)).isoformat()
