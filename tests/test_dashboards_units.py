"""Numbers and times as they are printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cryotrail_dashboards.clock import age, elapsed, site_time, zone_label
from cryotrail_dashboards.units import (
    minutes,
    number,
    origin_label,
    quantity,
    share,
    span,
    words,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(101.0909, "101.1"), (2.45, "2.5"), (-3.0, "−3.0"), (None, "–"), (float("nan"), "–")],
)
def test_numbers_are_rounded_half_up_with_a_true_minus(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_quantity_keeps_its_unit_on_the_line_and_an_absent_one_has_none() -> None:
    assert quantity(12.34, "mm") == "12.3\u00a0mm"
    assert quantity(None, "mm") == "–"
    assert minutes(96.0) == "96\u00a0min"
    assert minutes(19.5) == "19.5\u00a0min"
    assert span(63, 187) == "63–187"


def test_a_share_names_its_count_and_its_interval() -> None:
    text = share(3, 11, 0.0975, 0.5656)

    assert text == "3 of 11 (27.3\u00a0%, 95\u00a0% interval 9.8–56.6\u00a0%)"


def test_enum_symbols_are_read_as_words() -> None:
    assert words("RENAL_CELL_CARCINOMA") == "renal cell carcinoma"
    assert words(None) == "–"


def test_only_live_data_goes_without_a_label() -> None:
    assert origin_label({"LIVE": 3}) is None
    reconstructed = origin_label({"RECONSTRUCTED": 11})
    assert reconstructed == (
        "RECONSTRUCTED data: rebuilt to meet published totals; no row is a real person"
    )


def test_a_label_speaks_of_the_rows_that_it_is_about_only() -> None:
    assert origin_label({"LIVE": 1, "RECONSTRUCTED": 11}) == (
        "RECONSTRUCTED data (11 of 12 procedures): rebuilt to meet published totals;"
        " no row marked RECONSTRUCTED is a real person"
    )


@pytest.mark.parametrize(
    ("t_min", "text"),
    [
        (44, "T+44 min"),
        (-10, "T−10 min"),
        (336, "T+6 h"),
        (-1440, "T−24 h"),
        (7 * 1440, "T+7 d"),
        (35 * 30.4375 * 1440, "T+35 mo"),
    ],
)
def test_elapsed_time_is_said_in_the_unit_that_fits(t_min: float, text: str) -> None:
    assert elapsed(t_min) == text


def test_times_are_shown_on_the_sites_clock() -> None:
    at = datetime(2012, 1, 19, 1, 24, tzinfo=UTC)

    assert site_time(at, ZoneInfo("Asia/Tokyo")) == "2012-01-19 10:24:00"
    assert zone_label(at, ZoneInfo("Asia/Tokyo")) == "Asia/Tokyo (UTC+09:00)"


@pytest.mark.parametrize(
    ("seconds", "text"), [(38, "38 s"), (720, "12 min"), (18_000, "5 h"), (777_600, "9 d")]
)
def test_an_age_is_said_in_one_unit(seconds: float, text: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    assert age(now - timedelta(seconds=seconds), now) == text
