"""How far the ice reaches beyond the tumour in each direction, at every look at it.

A reconstruction: the publication says that the ice covered the whole tumour in every procedure and
that 10 mm beyond it were aimed at; no achieved margin is printed. Here the margins grow from
look to look, the tumour is covered from the end of the first freeze, and at the last look of the
last freeze the smallest of the six is at least 10 mm. They differ between directions and
procedures (by a digest of the procedure's key), so that a page cannot mistake one for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from cryotrail_producers.replay.minute_plan import MinutePlan

AIM_TENTHS_MM = 100


class Margins(NamedTuple):
    """Ice beyond the tumour in six directions, mm; negative where the tumour is not covered."""

    cranial_mm: float
    caudal_mm: float
    anterior_mm: float
    posterior_mm: float
    medial_mm: float
    lateral_mm: float

    @property
    def covers_tumour(self) -> bool:
        """Whether no direction is bare."""
        return min(self) >= 0


def margins_of(plan: MinutePlan, tumour_size_mm: Decimal, key: str) -> Iterator[Margins]:
    """The margins at each ice-ball check of a plan, in order of time.

    Integer tenths of a millimetre throughout, linear in freeze minutes between four fixed points:
    30 % of the tumour's longest diameter uncovered at the start, just covered (0.5 to 1.4 mm) at
    the last look of the first freeze, equal steps to the last looks of the later freezes, and 10.0
    to 13.9 mm at the end.

    :param key: what the procedure is called in its data set; decides the directions' differences
    """
    digest = sha256(key.encode()).digest()
    bare = -int(tumour_size_mm * 10) * 3 // 10
    covered = [5 + byte % 10 for byte in digest[:6]]
    final = [AIM_TENTHS_MM + byte % 40 for byte in digest[6:12]]
    before = [bare] * 6
    for cycle in plan.cycles:
        after = _at_last_check(covered, final, cycle.cycle_no, len(plan.cycles))
        last_s = cycle.ice_ball_checks_s[-1] - cycle.freeze_start_s
        for check_s in cycle.ice_ball_checks_s:
            elapsed_s = check_s - cycle.freeze_start_s
            tenths = [
                start + (stop - start) * elapsed_s // last_s
                for start, stop in zip(before, after, strict=True)
            ]
            yield Margins(*(value / 10 for value in tenths))
        before = after


def _at_last_check(
    covered: list[int], final: list[int], cycle_no: int, cycle_count: int
) -> list[int]:
    if cycle_count == 1:
        return final
    return [
        start + (stop - start) * (cycle_no - 1) // (cycle_count - 1)
        for start, stop in zip(covered, final, strict=True)
    ]
