"""The made-up devices that made-up events come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from cryotrail_schemas.events import (
    CtAcquired,
    Event,
    FollowUpImagingPerformed,
    FreezeStarted,
    FreezeStopped,
    ProbeTelemetryChunk,
    ThawStarted,
    ThawStopped,
)

CONSOLE, CT, MRI = "sim-console-1", "sim-ct-1", "sim-mri-1"

DEVICE_OF: Mapping[type[Event], str] = MappingProxyType(
    {
        CtAcquired: CT,
        FreezeStarted: CONSOLE,
        FreezeStopped: CONSOLE,
        ThawStarted: CONSOLE,
        ThawStopped: CONSOLE,
        ProbeTelemetryChunk: CONSOLE,
        FollowUpImagingPerformed: MRI,
    }
)


def with_device(event: Event) -> Event:
    """The event with the device that it came from in its header, where it came from one."""
    device_id = DEVICE_OF.get(type(event))
    if device_id is None:
        return event
    return replace(event, header=replace(event.header, device_id=device_id))
