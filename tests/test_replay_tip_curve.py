"""The tip's temperature: plausible in shape, exact in its numbers, warm before removal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from replayed_cohort import cohort, row

from cryotrail_producers.replay.minute_plan import plan_procedure
from cryotrail_producers.replay.tip_curve import TipCurve, tip_curve

CURVES = [
    tip_curve(one.plan, probe) for one in cohort().rows for probe in range(1, one.probe_count + 1)
]


def test_there_is_a_sample_for_every_second_of_freeze_and_thaw() -> None:
    samples = sum(len(phase.samples_cel) for curve in CURVES for phase in curve.phases())

    assert samples == 109_920


@pytest.mark.parametrize("probe_no", [1, 2, 3])
def test_a_freeze_falls_from_body_temperature_to_about_minus_120_in_two_minutes(
    probe_no: int,
) -> None:
    samples = tip_curve(row("R02").plan, probe_no).freezes[0].samples_cel

    assert samples[0] == 37
    assert -125 < samples[120] < -115
    assert -190 < samples[-1] < -150


@pytest.mark.parametrize("curve", CURVES)
def test_a_freeze_only_falls_and_a_thaw_only_rises(curve: TipCurve) -> None:
    assert all(a >= b for phase in curve.freezes for a, b in pairwise(phase.samples_cel))
    assert all(a <= b for phase in curve.thaws for a, b in pairwise(phase.samples_cel))


@pytest.mark.parametrize("curve", CURVES)
def test_a_passive_thaw_stays_below_zero_and_the_active_one_ends_above(curve: TipCurve) -> None:
    *passive, active = curve.thaws

    assert all(max(phase.samples_cel) < 0 for phase in passive)
    assert active.samples_cel[-1] > 0
    assert active.samples_cel[-1] <= curve.removed_cel <= 37


def test_the_shortest_last_thaw_of_any_probe_still_ends_above_zero() -> None:
    plan = plan_procedure(111, probe_count=12, cycle_count=3)
    assert plan.cycles[-1].thaw_stop_s - plan.cycles[-1].freeze_stop_s == 5 * 60

    last = [tip_curve(plan, probe).thaws[-1].samples_cel[-1] for probe in range(1, 13)]

    assert min(last) > 0


def test_no_temperature_is_below_what_argon_reaches() -> None:
    coldest = min(min(phase.samples_cel) for curve in CURVES for phase in curve.freezes)

    assert coldest >= -186


def test_values_are_eighths_of_a_degree_and_so_the_same_as_float_and_double() -> None:
    values = {v for curve in CURVES for phase in curve.phases() for v in phase.samples_cel}

    assert all((value * 8).is_integer() for value in values)


def test_the_curves_of_a_procedure_s_probes_differ() -> None:
    curves = {tip_curve(row("R02").plan, probe).freezes[0].samples_cel for probe in (1, 2, 3)}

    assert len(curves) == 3
