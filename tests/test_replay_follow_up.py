"""Months of follow-up, rounded half up, and the visits that fall due in them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cryotrail_producers.replay.follow_up import follow_up_months, visits

FIRST = date(2012, 6, 14)


@pytest.mark.parametrize(
    ("days", "months"),
    [(0, "0.0"), (365, "12.0"), (364, "12.0"), (363, "11.9"), (734, "24.1"), (1065, "35.0")],
)
def test_months_are_days_over_30_4375_half_up(days: int, months: str) -> None:
    assert follow_up_months(FIRST, FIRST + timedelta(days=days)) == Decimal(months)


def test_visits_are_on_their_target_days() -> None:
    due = dict(visits(FIRST, date(2016, 1, 1), died=False))

    assert {month: (day - FIRST).days for month, day in due.items()} == {
        1: 30,
        3: 91,
        6: 183,
        12: 365,
    }


def test_who_dies_on_the_target_day_was_seen_ten_days_before() -> None:
    due = dict(visits(FIRST, FIRST + timedelta(days=365), died=True))

    assert (due[12] - FIRST).days == 355
    assert (due[6] - FIRST).days == 183


def test_who_lives_may_be_seen_on_the_day_of_last_contact() -> None:
    due = dict(visits(FIRST, FIRST + timedelta(days=365), died=False))

    assert (due[12] - FIRST).days == 365


def test_no_visit_follows_the_last_contact_although_rounding_makes_it_due() -> None:
    last_contact = FIRST + timedelta(days=364)

    due = dict(visits(FIRST, last_contact, died=False))

    assert due[12] < last_contact


def test_a_visit_beyond_the_follow_up_is_not_due() -> None:
    assert [month for month, _ in visits(FIRST, date(2012, 11, 13), died=False)] == [1, 3]
