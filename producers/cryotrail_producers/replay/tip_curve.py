"""The temperature at a probe's tip during freeze and thaw: plausible, and no more than that.

No published curve stands behind it. A freeze falls steeply from body temperature to about
-120 °C in two minutes and flattens towards -160 °C and below; a passive thaw rises slowly and
stays below 0 °C, an active one ends above it. Probes differ by a few degrees, so that their curves
can be told apart.

Everything is integer arithmetic on eighths of a degree: the values are the same on every platform,
and exact as ``float`` (Avro's 32 bit) as well as ``double``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryotrail_producers.replay.minute_plan import MinutePlan

BODY_CEL = 37
PER_DEGREE = 8
"""Resolution: eighths of a degree Celsius."""


@dataclass(frozen=True, slots=True)
class TipPhase:
    """One freeze or thaw of one probe; ``samples_cel`` has one value a second from its start."""

    cycle_no: int
    start_s: int
    samples_cel: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TipCurve:
    """What one probe's tip does over the whole procedure."""

    freezes: tuple[TipPhase, ...]
    thaws: tuple[TipPhase, ...]
    removed_cel: float
    """At the probe's removal, drifting towards body temperature since the last thaw."""

    def phases(self) -> Iterator[TipPhase]:
        """Freezes and thaws in order of time."""
        for freeze, thaw in zip(self.freezes, self.thaws, strict=True):
            yield freeze
            yield thaw


def tip_curve(plan: MinutePlan, probe_no: int) -> TipCurve:
    """The curve of one probe (numbered from 1) through a plan; its last thaw is the active one."""
    variant = (probe_no - 1) % 4
    value = BODY_CEL * PER_DEGREE
    freezes, thaws = [], []
    for cycle in plan.cycles:
        colder_cel = 3 * variant + 2 * min(cycle.cycle_no - 1, 3)
        seconds = cycle.freeze_stop_s - cycle.freeze_start_s
        samples, value = approach(value, -166 - colder_cel, 35 + 3 * variant, seconds)
        freezes.append(TipPhase(cycle.cycle_no, cycle.freeze_start_s, samples))

        active = cycle is plan.cycles[-1]
        target_cel, half_s = (45, 60 + 2 * variant) if active else (0, 150 + 10 * variant)
        seconds = cycle.thaw_stop_s - cycle.freeze_stop_s
        samples, value = approach(value, target_cel, half_s, seconds)
        thaws.append(TipPhase(cycle.cycle_no, cycle.freeze_stop_s, samples))
    seconds = plan.removals_s[probe_no - 1] - plan.cycles[-1].thaw_stop_s
    _, value = approach(value, BODY_CEL, 120, seconds)
    return TipCurve(tuple(freezes), tuple(thaws), value / PER_DEGREE)


def approach(
    start: int, target_cel: int, half_s: int, seconds: int
) -> tuple[tuple[float, ...], int]:
    """Approach a target along t / (t + half_s): half of the way after ``half_s`` seconds.

    ``start`` is in eighths of a degree, as is the value returned for the end.

    A rational function rather than an exponential, because ``exp`` may differ in its last bit
    between platforms and these bytes may not.

    :returns: the samples in °C at seconds 0 to ``seconds - 1``, and the value in eighths at the end
    """
    way = target_cel * PER_DEGREE - start
    values = [start + way * second // (second + half_s) for second in range(seconds + 1)]
    return tuple(value / PER_DEGREE for value in values[:-1]), values[-1]
