"""A thermosensor at the tumour's edge: placed before the first freeze, read at 1 Hz."""

from __future__ import annotations

from collections.abc import Iterator

from cryotrail_producers.replay.case import Case
from cryotrail_producers.replay.telemetry import CHUNK_S, PERIOD_MS
from cryotrail_producers.replay.tip_curve import BODY_CEL, PER_DEGREE, approach
from cryotrail_schemas.events import (
    ActorRole,
    Channel,
    Event,
    ProbeTelemetryChunk,
    SampleQuality,
    SensorLocation,
    ThermosensorPlaced,
)

SENSOR_ID = "edge-1"


def edge_sensor(case: Case, coldest_cel: int) -> Iterator[Event]:
    """The sensor's placement and its samples; a freeze approaches ``coldest_cel`` slowly."""
    yield ThermosensorPlaced(
        header=case.headers.make(
            ThermosensorPlaced, case.at(case.plan.anchoring_s), ActorRole.OPERATOR, probe=SENSOR_ID
        ),
        sensor_id=SENSOR_ID,
        location=SensorLocation.TUMOUR_EDGE,
        distance_to_structure_mm=0.0,
    )
    value = BODY_CEL * PER_DEGREE
    for cycle in case.plan.cycles:
        for target_cel, half_s, start_s, stop_s in (
            (coldest_cel, 200, cycle.freeze_start_s, cycle.freeze_stop_s),
            (BODY_CEL, 600, cycle.freeze_stop_s, cycle.thaw_stop_s),
        ):
            samples, value = approach(value, target_cel, half_s, stop_s - start_s)
            yield from _chunks(case, cycle.cycle_no, start_s, samples)


def _chunks(
    case: Case, cycle_no: int, start_s: int, samples_cel: tuple[float, ...]
) -> Iterator[ProbeTelemetryChunk]:
    channel = Channel.SENSOR_TEMPERATURE_CEL
    for first in range(0, len(samples_cel), CHUNK_S):
        yield ProbeTelemetryChunk(
            header=case.headers.make(
                ProbeTelemetryChunk,
                case.at(start_s + first),
                ActorRole.DEVICE,
                probe=f"{channel}.{SENSOR_ID}",
                cycle_no=cycle_no,
            ),
            channel=channel,
            sensor_id=SENSOR_ID,
            cycle_no=cycle_no,
            period_ms=PERIOD_MS,
            values=samples_cel[first : first + CHUNK_S],
            quality=SampleQuality.SIMULATED,
        )
