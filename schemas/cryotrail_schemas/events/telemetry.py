"""Events of telemetry.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cryotrail_schemas.events.base import Event
from cryotrail_schemas.events.enums import Channel, SampleQuality


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTelemetryChunk(Event):
    """Samples of one channel at even distance; sample i is at the header's occurred_at + i *
    period_ms. Usually 10 s a chunk; a shorter last chunk is allowed. A probe without a tip
    sensor has no temperature channel rather than zeros. Source: printed in Susa 2016; the rest
    from the literature.

    - ``channel``: Measured quantity; its symbol names the unit. Source: printed in Susa 2016; the
        rest from the literature.
    - ``probe_id``: Probe, for channels of a probe. Source: printed in Susa 2016; the rest from the
        literature.
    - ``sensor_id``: Sensor, for channels of a separate sensor. Source: literature.
    - ``cycle_no``: Freeze-thaw cycle of the probe, from 1; null: outside of cycles or not known.
        Refused below 1. Source: printed in Susa 2016; the rest from the literature.
    - ``period_ms``: Time from one sample to the next; 1000 = 1 Hz. Unit: ms (UCUM). Refused below
        1. Source: cryotrail's own choice.
    - ``values``: Samples in the unit of the channel; null: missing. More than 600 are refused.
        Source: printed in Susa 2016; the rest from the literature.
    - ``quality``: Quality as the source states it. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "ProbeTelemetryChunk"

    channel: Channel
    probe_id: str | None = None
    sensor_id: str | None = None
    cycle_no: int | None = None
    period_ms: int
    values: tuple[float | None, ...]
    quality: SampleQuality
