"""Tip temperatures at 1 Hz during freeze and thaw, as chunks of 10 s a probe."""

from __future__ import annotations

from collections.abc import Iterator

from cryotrail_producers.replay.case import Case
from cryotrail_schemas.events import ActorRole, Channel, ProbeTelemetryChunk, SampleQuality

PERIOD_MS = 1000
CHUNK_S = 10


def telemetry(case: Case) -> Iterator[ProbeTelemetryChunk]:
    """The chunks of every probe, probe by probe in order of time; a freeze or thaw begins its own.

    The samples are made up by :mod:`cryotrail_producers.replay.tip_curve`: quality SIMULATED.
    """
    channel = Channel.TIP_TEMPERATURE_CEL
    for probe_id, curve in zip(case.probe_ids, case.tip_curves, strict=True):
        for phase in curve.phases():
            for first in range(0, len(phase.samples_cel), CHUNK_S):
                yield ProbeTelemetryChunk(
                    header=case.headers.make(
                        ProbeTelemetryChunk,
                        case.at(phase.start_s + first),
                        ActorRole.DEVICE,
                        probe=f"{channel}.{probe_id}",
                        cycle_no=phase.cycle_no,
                    ),
                    channel=channel,
                    probe_id=probe_id,
                    cycle_no=phase.cycle_no,
                    period_ms=PERIOD_MS,
                    values=phase.samples_cel[first : first + CHUNK_S],
                    quality=SampleQuality.SIMULATED,
                )


def chunk_count(case: Case) -> int:
    """How many chunks :func:`telemetry` makes, without making them."""
    lengths = (len(phase.samples_cel) for curve in case.tip_curves for phase in curve.phases())
    return sum(-(-length // CHUNK_S) for length in lengths)
