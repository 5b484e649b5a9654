"""The minute plan in whole seconds: the worked case, all eleven rows, and what it refuses."""

from __future__ import annotations

import pytest
from replayed_cohort import cohort, row

from cryotrail_producers.replay.errors import PlanRefused
from cryotrail_producers.replay.minute_plan import plan_procedure

TABLE = {
    "R01": (24, 60, 12),
    "R02": (30, 60, 15),
    "R03": (20, 60, 10),
    "R04": (11, 46, 6),
    "R05": (16, 60, 8),
    "R06": (7, 60, 5),
    "R07": (65, 90, 32),
    "R08": (19, 90, 9),
    "R09": (15, 90, 7),
    "R10": (11, 90, 6),
    "R11": (12, 60, 6),
}
"""Lead-in, cycles and lead-out of each row, minutes."""


def test_the_worked_case_is_met_to_the_second() -> None:
    plan = plan_procedure(96, probe_count=2, cycle_count=2)

    assert plan.insertions_s == (8 * 60, 16 * 60)
    assert plan.targeting_cts_s == (12 * 60, 20 * 60)
    assert plan.anchoring_s == 22 * 60
    first, second = plan.cycles
    assert (first.freeze_start_s, first.freeze_stop_s, first.thaw_stop_s) == (1440, 2640, 3240)
    assert (second.freeze_start_s, second.freeze_stop_s, second.thaw_stop_s) == (3240, 4440, 5040)
    assert first.ice_ball_checks_s == (29 * 60, 34 * 60, 39 * 60, 43 * 60)
    assert second.ice_ball_checks_s == (59 * 60, 64 * 60, 69 * 60, 73 * 60)
    assert plan.removals_s == (86 * 60, 87 * 60)
    assert (plan.tract_checks_s, plan.survey_ct_s, plan.duration_s) == (88 * 60, 93 * 60, 96 * 60)


@pytest.mark.parametrize("procedure", TABLE)
def test_lead_in_cycles_and_lead_out_of_each_row(procedure: str) -> None:
    plan = row(procedure).plan

    cycles_s = plan.cycles[-1].thaw_stop_s - plan.cycles[0].freeze_start_s
    minutes = (plan.lead_in_s / 60, cycles_s / 60, plan.lead_out_s / 60)
    assert minutes == TABLE[procedure]


def test_the_short_case_has_freezes_of_17_and_thaws_of_7_and_5() -> None:
    cycles = row("R04").plan.cycles

    freezes = [(cycle.freeze_stop_s - cycle.freeze_start_s) / 60 for cycle in cycles]
    thaws = [(cycle.thaw_stop_s - cycle.freeze_stop_s) / 60 for cycle in cycles]
    assert (freezes, thaws) == ([17, 17], [7, 5])


def test_every_other_row_has_nominal_cycles() -> None:
    short = set()
    for one in cohort().rows:
        for cycle in one.plan.cycles:
            freeze_s = cycle.freeze_stop_s - cycle.freeze_start_s
            thaw_s = cycle.thaw_stop_s - cycle.freeze_stop_s
            if (freeze_s, thaw_s) != (20 * 60, 10 * 60):
                short.add(one.procedure)
    assert short == {"R04"}


def test_a_short_freeze_is_looked_at_while_two_minutes_remain_and_one_before_its_stop() -> None:
    cycle = row("R04").plan.cycles[0]

    assert [(s - cycle.freeze_start_s) / 60 for s in cycle.ice_ball_checks_s] == [5, 10, 15, 16]


@pytest.mark.parametrize(
    ("duration_min", "short"), [(71, False), (70, True)], ids=["exactly enough", "one too few"]
)
def test_cycles_become_short_below_three_minutes_a_probe_and_five(
    duration_min: int, short: bool
) -> None:
    plan = plan_procedure(duration_min, probe_count=2, cycle_count=2)

    assert (plan.cycles[0].freeze_stop_s - plan.cycles[0].freeze_start_s < 20 * 60) is short


def test_what_even_short_cycles_cannot_hold_is_refused_with_the_missing_minutes() -> None:
    assert plan_procedure(57, probe_count=2, cycle_count=2)

    with pytest.raises(PlanRefused, match="2 min too few for 2 probes and 2 cycles") as refused:
        plan_procedure(55, probe_count=2, cycle_count=2)

    assert refused.value.missing_min == 2


@pytest.mark.parametrize("cycles", [1, 2, 3])
@pytest.mark.parametrize("spare_min", [0, 1, 40, 200])
def test_any_plan_keeps_its_order_and_its_length(cycles: int, spare_min: int) -> None:
    for probes in range(1, 31):
        duration_min = 24 * cycles - 2 + 3 * probes + 5 + spare_min

        plan = plan_procedure(duration_min, probes, cycles)

        access = [0, plan.displacement_s]
        for placed in zip(plan.insertions_s, plan.targeting_cts_s, strict=True):
            access += placed
        access += [plan.anchoring_s, plan.lead_in_s]
        looks = [
            s for cycle in plan.cycles for s in (cycle.freeze_start_s, *cycle.ice_ball_checks_s)
        ]
        looks.append(plan.cycles[-1].freeze_stop_s)
        withdrawal = [plan.cycles[-1].thaw_stop_s, *plan.removals_s]
        withdrawal += [plan.tract_checks_s, plan.survey_ct_s, duration_min * 60]
        in_order = [*access, *looks[1:], *withdrawal]
        assert in_order == sorted(set(in_order))
        assert plan.duration_s == duration_min * 60
        assert plan.lead_out_s >= 5 * 60
