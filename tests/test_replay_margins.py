"""The ice's margins: they only grow, cover the tumour in time, and end at 10 mm or more."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from replayed_cohort import of_type, procedures, row

from cryotrail_producers.replay.margins import margins_of
from cryotrail_producers.replay.minute_plan import plan_procedure
from cryotrail_schemas.events import CtAcquired, IceBallChecked


def margins(check: IceBallChecked) -> tuple[float, ...]:
    six = (
        check.margin_cranial_mm,
        check.margin_caudal_mm,
        check.margin_anterior_mm,
        check.margin_posterior_mm,
        check.margin_medial_mm,
        check.margin_lateral_mm,
    )
    assert None not in six
    return tuple(value for value in six if value is not None)


@pytest.mark.parametrize("procedure", procedures())
def test_every_margin_grows_from_look_to_look(procedure: str) -> None:
    looks = [margins(check) for check in of_type(IceBallChecked, procedure)]

    for before, after in pairwise(looks):
        assert all(b < a for b, a in zip(before, after, strict=True))


@pytest.mark.parametrize("procedure", procedures())
def test_the_tumour_is_covered_from_the_end_of_the_first_freeze(procedure: str) -> None:
    checks = of_type(IceBallChecked, procedure)

    first_freeze = [check.covers_tumour for check in checks if check.cycle_no == 1]
    assert first_freeze[0] is False
    assert first_freeze[-1] is True
    assert all(check.covers_tumour for check in checks if check.cycle_no > 1)
    assert all(check.covers_tumour is (min(margins(check)) >= 0) for check in checks)


@pytest.mark.parametrize("procedure", procedures())
def test_at_the_last_look_the_smallest_margin_is_at_least_ten(procedure: str) -> None:
    last = of_type(IceBallChecked, procedure)[-1]

    assert last.cycle_no == row(procedure).cycle_count
    assert 10 <= min(margins(last)) < 14


def test_margins_differ_between_procedures() -> None:
    assert len({margins(of_type(IceBallChecked, one)[-1]) for one in procedures()}) == 11


def test_every_look_names_the_ct_of_its_minute() -> None:
    cts = {ct.header.event_id: ct for ct in of_type(CtAcquired)}

    for check in of_type(IceBallChecked):
        assert check.ct_event_id is not None
        ct = cts[check.ct_event_id]
        assert (ct.phase, ct.cycle_no) == ("MONITORING", check.cycle_no)
        assert ct.header.occurred_at == check.header.occurred_at
        assert ct.header.procedure_id == check.header.procedure_id


def test_a_single_freeze_also_ends_at_ten_millimetres() -> None:
    plan = plan_procedure(60, probe_count=1, cycle_count=1)

    looks = list(margins_of(plan, Decimal("52.5"), "any"))

    assert not looks[0].covers_tumour
    assert min(looks[-1]) >= 10
