"""One row of a cohort table made ready for its events: plan, tip curves, clock and headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cryotrail_producers.replay.cohort_row import CohortRow
from cryotrail_producers.replay.headers import Headers
from cryotrail_producers.replay.margins import Margins, margins_of
from cryotrail_producers.replay.minute_plan import MinutePlan
from cryotrail_producers.replay.tip_curve import TipCurve, tip_curve
from cryotrail_schemas.events import DataOrigin

TEN_O_CLOCK = time(10)
"""When a procedure starts, and where everything stands that is known by its day only."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the events of one procedure are made from."""

    data_set: str
    row: CohortRow
    plan: MinutePlan
    tip_curves: tuple[TipCurve, ...]
    """In probe order."""
    headers: Headers
    zone: ZoneInfo
    started_at: datetime
    """First skin puncture, UTC."""

    def at(self, seconds: int) -> datetime:
        """So many seconds after the start (before it when negative)."""
        return self.started_at + timedelta(seconds=seconds)

    def on(self, day: date) -> datetime:
        """10:00 of a day by the site's clock."""
        return datetime.combine(day, TEN_O_CLOCK, self.zone).astimezone(UTC)

    def days_after(self, days: int) -> datetime:
        """10:00 by the site's clock, so many calendar days after the procedure's."""
        return self.on(self.row.treated_on + timedelta(days=days))

    @property
    def discharged_at(self) -> datetime:
        """Published: everybody went home after one day."""
        return self.days_after(1)

    def margins(self) -> Iterator[Margins]:
        """The ice's margins at each check, in order of time."""
        key = f"{self.data_set}/{self.row.procedure}/margins"
        return margins_of(self.plan, self.row.size_mm, key)

    @property
    def probe_ids(self) -> tuple[str, ...]:
        """``1``, ``2``, … in order of insertion."""
        return tuple(str(number) for number in range(1, self.row.probe_count + 1))


def make_case(
    data_set: str,
    row: CohortRow,
    zone: ZoneInfo,
    *,
    origin: DataOrigin = DataOrigin.RECONSTRUCTED,
    starts: time = TEN_O_CLOCK,
) -> Case:
    """Make one row of a table ready; ``starts`` is the first skin puncture by the site's clock."""
    plan = row.plan
    return Case(
        data_set=data_set,
        row=row,
        plan=plan,
        tip_curves=tuple(tip_curve(plan, number + 1) for number in range(row.probe_count)),
        headers=Headers(data_set, row.procedure, row.subject, origin),
        zone=zone,
        started_at=datetime.combine(row.treated_on, starts, zone).astimezone(UTC),
    )
