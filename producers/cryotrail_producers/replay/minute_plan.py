"""When everything of one procedure happens, from its length and its numbers of probes and cycles.

A reconstruction: the publication prints the nominal cycle (20 min freeze, 10 min thaw), the number
of cycles and the length of the procedure; how the remaining minutes were spent is not known, and
is laid out here by one rule for every row. All times are whole seconds from ``ProcedureStarted``;
a fraction of a second is cut off, never carried.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryotrail_producers.replay.errors import PlanRefused

SIGN_IN_S = -20 * 60
TIME_OUT_S = -10 * 60
PLANNING_CT_S = -6 * 60

NOMINAL_FREEZE_MIN, NOMINAL_THAW_MIN = 20, 10
"""Published: every freeze and every thaw."""

SHORT_FREEZE_MIN, SHORT_THAW_MIN, SHORT_LAST_THAW_MIN = 17, 7, 5
"""Where the nominal cycles leave no time to place the probes (in the series: its 63-min case)."""

CHECK_EVERY_MIN, CHECK_WHILE_REMAIN_MIN, LAST_CHECK_BEFORE_STOP_MIN = 5, 2, 1


@dataclass(frozen=True, slots=True)
class PlannedCycle:
    """One freeze and its thaw; all probes freeze and thaw together, the thaw follows at once."""

    cycle_no: int
    freeze_start_s: int
    freeze_stop_s: int
    thaw_stop_s: int
    ice_ball_checks_s: tuple[int, ...]
    """Each is a monitoring CT and the look at the ice ball in it."""


@dataclass(frozen=True, slots=True)
class MinutePlan:
    """One procedure in seconds from its start; sequences over probes are in probe order."""

    duration_s: int
    displacement_s: int
    """Where a structure is moved away: before the first probe."""
    insertions_s: tuple[int, ...]
    targeting_cts_s: tuple[int, ...]
    anchoring_s: int
    cycles: tuple[PlannedCycle, ...]
    removals_s: tuple[int, ...]
    tract_checks_s: int
    survey_ct_s: int

    @property
    def lead_in_s(self) -> int:
        """First puncture to the first freeze."""
        return self.cycles[0].freeze_start_s

    @property
    def lead_out_s(self) -> int:
        """End of the last thaw to the end of the procedure."""
        return self.duration_s - self.cycles[-1].thaw_stop_s


def plan_procedure(duration_min: int, probe_count: int, cycle_count: int) -> MinutePlan:
    """Lay out a procedure of so many minutes, probes and cycles (each at least 1).

    Cycles are nominal; where fewer than ``3 x probes + 5`` minutes remain beside them, every cycle
    is a short one. A third of what remains (at least 5 min) is the lead-out, the rest the lead-in.

    :raises PlanRefused: even short cycles leave too few minutes; says how many are missing.
    """
    needed_min = 3 * probe_count + 5
    freezes = [NOMINAL_FREEZE_MIN] * cycle_count
    thaws = [NOMINAL_THAW_MIN] * cycle_count
    if duration_min - sum(freezes) - sum(thaws) < needed_min:
        freezes = [SHORT_FREEZE_MIN] * cycle_count
        thaws = [SHORT_THAW_MIN] * (cycle_count - 1) + [SHORT_LAST_THAW_MIN]
    slack_min = duration_min - sum(freezes) - sum(thaws)
    if slack_min < needed_min:
        missing_min = needed_min - slack_min
        raise PlanRefused(
            f"{duration_min} min are {missing_min} min too few for {probe_count} probes and "
            f"{cycle_count} cycles, even short ones",
            missing_min=missing_min,
        )
    lead_out_min = max(5, _rounded_third(slack_min))
    lead_in_s = (slack_min - lead_out_min) * 60
    cycles = _cycles(lead_in_s, freezes, thaws)
    return _around(cycles, duration_min * 60, lead_in_s, lead_out_min * 60, probe_count)


def _rounded_third(minutes: int) -> int:
    return (2 * minutes + 3) // 6


def _cycles(lead_in_s: int, freezes: list[int], thaws: list[int]) -> tuple[PlannedCycle, ...]:
    cycles = []
    start_s = lead_in_s
    for cycle_no, (freeze_min, thaw_min) in enumerate(zip(freezes, thaws, strict=True), start=1):
        stop_s = start_s + freeze_min * 60
        last_min = freeze_min - CHECK_WHILE_REMAIN_MIN
        checks_min = [
            *range(CHECK_EVERY_MIN, last_min + 1, CHECK_EVERY_MIN),
            freeze_min - LAST_CHECK_BEFORE_STOP_MIN,
        ]
        checks_s = tuple(start_s + minute * 60 for minute in checks_min)
        cycles.append(PlannedCycle(cycle_no, start_s, stop_s, stop_s + thaw_min * 60, checks_s))
        start_s = stop_s + thaw_min * 60
    return tuple(cycles)


def _around(
    cycles: tuple[PlannedCycle, ...],
    duration_s: int,
    lead_in_s: int,
    lead_out_s: int,
    probe_count: int,
) -> MinutePlan:
    """Probes in during the lead-in, one step apart; out in equal parts of the lead-out."""
    probes = range(1, probe_count + 1)
    steps = probe_count + 1
    parts = max(12, probe_count + 6)
    thawed_s = cycles[-1].thaw_stop_s
    return MinutePlan(
        duration_s=duration_s,
        displacement_s=lead_in_s // (2 * steps),
        insertions_s=tuple(lead_in_s * probe // steps for probe in probes),
        targeting_cts_s=tuple(lead_in_s * (2 * probe + 1) // (2 * steps) for probe in probes),
        anchoring_s=lead_in_s * (4 * steps - 1) // (4 * steps),
        cycles=cycles,
        removals_s=tuple(thawed_s + lead_out_s * (1 + probe) // parts for probe in probes),
        tract_checks_s=thawed_s + lead_out_s * (probe_count + 2) // parts,
        survey_ct_s=thawed_s + lead_out_s * (parts - 3) // parts,
    )
