"""Events and outbox entries of a made-up procedure room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryotrail_producers.encoding import outbox_entry
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_schemas.events import (
    ActorRole,
    Channel,
    DataOrigin,
    Event,
    FreezeStarted,
    Header,
    ProbeTelemetryChunk,
    SampleQuality,
    TimeBasis,
)
from cryotrail_schemas.identifiers import new_event_id

SOURCE = "urn:cryotrail:test-room"
_START = datetime(2026, 11, 22, 10, 24, tzinfo=UTC)


def header(procedure_id: UUID, minute: int = 0) -> Header:
    return Header(
        event_id=new_event_id(),
        procedure_id=procedure_id,
        lesion_id=UUID(int=2),
        subject_id=UUID(int=1),
        actor_role=ActorRole.DEVICE,
        occurred_at=_START + timedelta(minutes=minute),
        time_basis=TimeBasis.DEVICE_SYNCED,
        data_origin=DataOrigin.SYNTHETIC,
    )


def freeze(procedure_id: UUID, cycle_no: int = 1) -> FreezeStarted:
    """A clinical event; ``cycle_no`` tells several apart."""
    return FreezeStarted(header=header(procedure_id, cycle_no), probe_id="1", cycle_no=cycle_no)


def chunk(procedure_id: UUID, value_count: int = 10) -> ProbeTelemetryChunk:
    """A telemetry chunk."""
    return ProbeTelemetryChunk(
        header=header(procedure_id),
        channel=Channel.TIP_TEMPERATURE_CEL,
        probe_id="1",
        cycle_no=1,
        period_ms=1000,
        values=(-120.0,) * value_count,
        quality=SampleQuality.SIMULATED,
    )


def entries(count: int, procedure_id: UUID | None = None) -> list[OutboxEntry]:
    """Clinical events of one procedure, ready for an outbox."""
    procedure = procedure_id or uuid4()
    return [entry(freeze(procedure, cycle_no)) for cycle_no in range(1, count + 1)]


def entry(event: Event) -> OutboxEntry:
    return outbox_entry(event, SOURCE)
