"""What is lost when a telemetry chunk is shed: which samples of which curve, and whose."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from cryotrail_schemas.datum.times import microseconds
from cryotrail_schemas.events import ProbeTelemetryChunk


class ShedSamples(NamedTuple):
    """The samples of one chunk, and what its header says that a report of their loss repeats."""

    procedure_id: UUID
    channel: str
    probe_id: str | None
    sensor_id: str | None
    from_us: int
    to_us: int
    """One period after the last sample: where the next chunk would begin."""
    samples: int
    """Those that were measured: a null among the values was lost before."""
    lesion_id: UUID | None
    subject_id: UUID
    device_id: str | None
    time_basis: str
    clock_offset_ms: int | None
    data_origin: str


def shed_samples(chunk: ProbeTelemetryChunk) -> ShedSamples:
    """What would be lost with a chunk that keeps the contract."""
    header = chunk.header
    from_us = microseconds(header.occurred_at)
    return ShedSamples(
        procedure_id=header.procedure_id,
        channel=str(chunk.channel),
        probe_id=chunk.probe_id,
        sensor_id=chunk.sensor_id,
        from_us=from_us,
        to_us=from_us + len(chunk.values) * chunk.period_ms * 1000,
        samples=sum(value is not None for value in chunk.values),
        lesion_id=header.lesion_id,
        subject_id=header.subject_id,
        device_id=header.device_id,
        time_basis=str(header.time_basis),
        clock_offset_ms=header.clock_offset_ms,
        data_origin=str(header.data_origin),
    )
