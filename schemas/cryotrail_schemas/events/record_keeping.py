"""Events of record keeping.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from cryotrail_schemas.events.base import Event
from cryotrail_schemas.events.enums import Channel, CorrectionReason, GapReason, ReviewMeaning
from cryotrail_schemas.events.records import FieldChange


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAmended(Event):
    """Fields of an earlier event are corrected. The original stays as it is; views show both.
    The target is an original event, never another correction. Source: cryotrail's own choice.

    - ``target_event_id``: Event that is corrected. Source: cryotrail's own choice.
    - ``target_content_hash``: SHA-256 of the target's body: states which content the author saw.
        Source: cryotrail's own choice.
    - ``changes``: Changes, a field each. Source: cryotrail's own choice.
    - ``reason``: Why. Source: cryotrail's own choice.
    - ``reason_text``: Free text: why. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "EventAmended"

    target_event_id: UUID
    target_content_hash: bytes | None = None
    changes: tuple[FieldChange, ...]
    reason: CorrectionReason
    reason_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventVoided(Event):
    """An earlier event no longer counts. Voiding an EventAmended takes that amendment back;
    voiding an EventVoided restores its target. Source: cryotrail's own choice.

    - ``target_event_id``: Event that is voided; of any type. Source: cryotrail's own choice.
    - ``target_content_hash``: SHA-256 of the target's body: states which content the author saw.
        Source: cryotrail's own choice.
    - ``reason``: Why. Source: cryotrail's own choice.
    - ``reason_text``: Free text: why. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "EventVoided"

    target_event_id: UUID
    target_content_hash: bytes | None = None
    reason: CorrectionReason
    reason_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLossReported(Event):
    """An outbox was lost or damaged and events with it. Source: cryotrail's own choice.

    - ``lost_producer_id``: producer_id of the lost outbox. Source: cryotrail's own choice.
    - ``from_at``: Begin of the time that the loss concerns, UTC. Source: cryotrail's own choice.
    - ``to_at``: End of that time, UTC. Source: cryotrail's own choice.
    - ``salvaged_count``: Number of events saved from it. Source: cryotrail's own choice.
    - ``lost_count``: Number of events lost; null: not known. Source: cryotrail's own choice.
    - ``reason``: Why. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "OutboxLossReported"

    lost_producer_id: str
    from_at: datetime | None = None
    to_at: datetime | None = None
    salvaged_count: int
    lost_count: int | None = None
    reason: GapReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureReviewed(Event):
    """A person reviewed the record of the procedure. Source: cryotrail's own choice.

    - ``meaning``: What the reviewer states. Source: cryotrail's own choice.
    - ``reviewed_through_seq``: Last seq of the audit store that the review covers. Source:
        cryotrail's own choice.
    - ``note_text``: Free text: a note. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "ProcedureReviewed"

    meaning: ReviewMeaning
    reviewed_through_seq: int
    note_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureSealed(Event):
    """One outbox states that nothing more of the procedure day is to come from it, and how much
    there was. Discharge precedes it; after-care and corrections may follow. Source: cryotrail's
    own choice.

    - ``sealed_producer_ids``: Every producer_id, clinical and telemetry, under which this outbox
        numbered events of the procedure; empty in a replay: every event of the procedure with
        occurred_at up to the seal's. Source: cryotrail's own choice.
    - ``event_count``: Number of discrete events covered, seals excluded. Source: cryotrail's own
        choice.
    - ``telemetry_chunk_count``: Number of telemetry chunks covered. Source: cryotrail's own choice.
    - ``content_root``: RFC 6962 root over the content hashes (SHA-256 of the body) of those events,
        seals excluded, sorted by event_id. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "ProcedureSealed"

    sealed_producer_ids: tuple[str, ...]
    event_count: int
    telemetry_chunk_count: int
    content_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryGapReported(Event):
    """Samples are missing, and the publisher knows it. Source: cryotrail's own choice.

    - ``channel``: Measured quantity. Source: cryotrail's own choice.
    - ``probe_id``: Probe, for channels of a probe. Source: cryotrail's own choice.
    - ``sensor_id``: Sensor, for channels of a separate sensor. Source: cryotrail's own choice.
    - ``from_at``: Begin of the gap, UTC. Source: cryotrail's own choice.
    - ``to_at``: End of the gap, UTC. Source: cryotrail's own choice.
    - ``lost_sample_count``: Number of samples lost; null: not known. Source: cryotrail's own
        choice.
    - ``reason``: Why. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "TelemetryGapReported"

    channel: Channel
    probe_id: str | None = None
    sensor_id: str | None = None
    from_at: datetime
    to_at: datetime
    lost_sample_count: int | None = None
    reason: GapReason
