"""The months of follow-up and the imaging visits that fall due in them.

A month is 30.4375 days (365.25 / 12). Months are compared rounded half up to one decimal, never
as days: a subject seen for 365 days has 12.0 months, though twelve months are 365.25 days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

VISIT_MONTHS = (1, 3, 6, 12)
"""Published: MRI at 1, 3, 6 and 12 months."""

BEFORE_LAST_CONTACT = timedelta(days=10)
"""How long before its target a visit took place whose target is too late for the subject."""

DAYS_PER_MONTH_E4 = 304_375


def follow_up_months(first_treated_on: date, last_contact_on: date) -> Decimal:
    """Months from first treatment to last contact or death, half up to one decimal."""
    days = (last_contact_on - first_treated_on).days
    tenths = (2 * days * 100_000 + DAYS_PER_MONTH_E4) // (2 * DAYS_PER_MONTH_E4)
    return Decimal(tenths).scaleb(-1)


def visits(first_treated_on: date, last_contact_on: date, died: bool) -> Iterator[tuple[int, date]]:
    """Each visit that is due, as (planned month, day of the visit).

    Due is a visit whose month is at most the rounded months of follow-up. It takes place on its
    target day, except where the subject could not have come: where the target lies after the last
    contact, or on the day of death.
    """
    months = follow_up_months(first_treated_on, last_contact_on)
    for month in VISIT_MONTHS:
        if month > months:
            return
        target = first_treated_on + timedelta(
            days=(2 * month * DAYS_PER_MONTH_E4 + 10_000) // 20_000
        )
        too_late = target > last_contact_on or (died and target == last_contact_on)
        yield month, target - BEFORE_LAST_CONTACT if too_late else target
