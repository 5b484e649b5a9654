"""Plain events of one made-up procedure, for tests that care about a field or two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from cryotrail_schemas import events
from cryotrail_schemas.identifiers import NAMESPACE

PROCEDURE_ID = uuid5(NAMESPACE, "sample/procedure")
SUBJECT_ID = uuid5(NAMESPACE, "sample/subject")
LESION_ID = uuid5(NAMESPACE, "sample/lesion")
STARTED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def sample_id(name: str) -> UUID:
    """A stable identity by a readable name."""
    return uuid5(NAMESPACE, f"sample/{name}")


def header(name: str = "event", *, minute: float = 0, **changes: Any) -> events.Header:
    """A header of the sample procedure, ``minute`` minutes after its start."""
    values: dict[str, Any] = {
        "event_id": sample_id(name),
        "procedure_id": PROCEDURE_ID,
        "lesion_id": LESION_ID,
        "subject_id": SUBJECT_ID,
        "actor_role": events.ActorRole.OPERATOR,
        "occurred_at": STARTED_AT + timedelta(minutes=minute),
        "time_basis": events.TimeBasis.DEVICE_SYNCED,
        "data_origin": events.DataOrigin.SYNTHETIC,
    }
    return events.Header(**{**values, **changes})


def freeze_started(**changes: Any) -> events.FreezeStarted:
    """A FreezeStarted of probe 1, cycle 1."""
    values: dict[str, Any] = {"header": header(), "probe_id": "1", "cycle_no": 1}
    return events.FreezeStarted(**{**values, **changes})


def telemetry_chunk(**changes: Any) -> events.ProbeTelemetryChunk:
    """Three samples of a probe's tip."""
    values: dict[str, Any] = {
        "header": header(),
        "channel": events.Channel.TIP_TEMPERATURE_CEL,
        "probe_id": "1",
        "cycle_no": 1,
        "period_ms": 1000,
        "values": (37.0, None, -20.5),
        "quality": events.SampleQuality.SIMULATED,
    }
    return events.ProbeTelemetryChunk(**{**values, **changes})
