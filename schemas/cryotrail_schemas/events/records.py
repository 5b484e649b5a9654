"""Records that events are made of.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cryotrail_schemas.events.enums import ActorRole, DataOrigin, GradingScale, TimeBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """The change of one field by an EventAmended. Source: cryotrail's own choice.

    - ``path``: JSON pointer (RFC 6901) into the event as JSON, e.g. /margin_cranial_mm or
        /header/occurred_at. Source: cryotrail's own choice.
    - ``value_json``: New value as JSON text; JSON null is the text null. Null here: the value is in
        the header's personal_ciphertext. Source: cryotrail's own choice.
    - ``old_value_json``: Value that the author saw before the change, as JSON text. Source:
        cryotrail's own choice.
    - ``supersedes_event_id``: EventAmended whose value of this path the author saw and replaces;
        null: the original's value. Source: cryotrail's own choice.
    """

    path: str
    value_json: str | None = None
    old_value_json: str | None = None
    supersedes_event_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """One grade of a complication on one scale. Several may stand side by side; none is
    converted into another. Source: literature.

    - ``scale``: Grading scale. Source: literature.
    - ``scale_version``: Version of the scale as its publisher names it. Source: literature.
    - ``grade``: Grade as the scale writes it. Source: literature.
    - ``graded_on``: Calendar day of the grading. Source: literature.
    """

    scale: GradingScale
    scale_version: str
    grade: str
    graded_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every event carries: which procedure and subject it concerns, when it occurred on the
    source's clock and how far that time can be trusted. How the event was delivered stands
    beside it, in Kafka headers, never in the body. Source: cryotrail's own choice.

    - ``event_id``: Identity of the event: UUIDv7 made by the SDK, UUIDv5 of the source's native
        identity for adapters and replays, so that feeding a source twice counts once. Source:
        cryotrail's own choice.
    - ``procedure_id``: Procedure that the event belongs to; as lower-case text it is the Kafka key.
        After-care events carry the procedure that they follow. Source: cryotrail's own choice.
    - ``lesion_id``: Lesion that the event concerns, where it concerns one: scheduling, probe,
        cycle, ice ball, response. Source: cryotrail's own choice.
    - ``subject_id``: Random pseudonym of the subject, never derived from a record number; a replay
        of a reconstruction may use UUIDv5, since no person stands behind it. Source: cryotrail's
        own choice.
    - ``device_id``: Console, scanner or sensor unit, stable within a site. Source: cryotrail's own
        choice.
    - ``actor_role``: Role of whoever caused the event; never a person. Source: cryotrail's own
        choice.
    - ``occurred_at``: When it occurred, on the source's clock, UTC, in microseconds; for a
        telemetry chunk the time of its first sample. Source: cryotrail's own choice.
    - ``time_basis``: How occurred_at was obtained. Source: cryotrail's own choice.
    - ``clock_offset_ms``: Source clock minus reference clock when last measured; not applied to
        occurred_at. Unit: ms (UCUM). Source: cryotrail's own choice.
    - ``correlation_id``: Groups the events of one action, e.g. all probes of one freeze command.
        Source: cryotrail's own choice.
    - ``causation_id``: Event that led to this one, e.g. the alarm before a FreezeStopped. Source:
        cryotrail's own choice.
    - ``personal_key_id``: Key of personal_ciphertext. Source: cryotrail's own choice.
    - ``personal_ciphertext``: Personal free text and image references of this event, encrypted (a
        map from JSON pointer to text). While encryption is off it is null and the clear fields may
        be filled. Source: cryotrail's own choice.
    - ``data_origin``: What every page must say about the row, and what makes lateness meaningful.
        Source: cryotrail's own choice.
    """

    event_id: UUID
    procedure_id: UUID
    lesion_id: UUID | None = None
    subject_id: UUID
    device_id: str | None = None
    actor_role: ActorRole
    occurred_at: datetime
    time_basis: TimeBasis
    clock_offset_ms: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    personal_key_id: bytes | None = None
    personal_ciphertext: bytes | None = None
    data_origin: DataOrigin
