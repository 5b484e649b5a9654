"""The time axis of a timeline: the day reaches every near event, the window stays inside it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cryotrail_dashboards.timeline import Day, View, day_of, window_of

START = datetime(2012, 1, 19, 1, 0, tzinfo=UTC)


def view(from_min: int, to_min: int, *, zone: str = "Asia/Tokyo", bands: bool = True) -> View:
    return View(Day(-10, 96), from_min, to_min, START, ZoneInfo(zone), bands, bands)


def test_the_day_reaches_back_to_the_checklist_and_on_to_the_last_near_event() -> None:
    day = day_of([-1440.0, -10.5, 0.0, 96.0, 110.2, 1440.0], end_min=96.0)

    assert day == Day(-11, 111)


def test_a_procedure_without_an_end_reaches_to_the_last_event_before_a_pause() -> None:
    day = day_of([0.0, 30.0, 85.0, 1440.0], end_min=None)

    assert day == Day(0, 85)


def test_a_procedure_that_has_only_started_has_a_day_of_a_minute() -> None:
    assert day_of([0.0], end_min=None) == Day(0, 1)


@pytest.mark.parametrize(
    ("low", "high", "window"),
    [
        ("20", "60", (20, 60)),
        (None, None, (-10, 96)),
        ("-500", "500", (-10, 96)),
        ("60", "20", (-10, 96)),
        ("nonsense", "60", (-10, 60)),
        ("1e400", None, (-10, 96)),
    ],
)
def test_an_address_is_read_within_the_day(
    low: str | None, high: str | None, window: tuple[int, int]
) -> None:
    assert window_of(Day(-10, 96), low, high) == window


def test_bands_are_drawn_only_where_the_window_reaches_the_edge_of_the_day() -> None:
    whole, inner = view(-10, 96), view(20, 60)

    assert whole.before_band_min is not None
    assert whole.after_band_min is not None
    assert inner.before_band_min is None
    assert inner.after_band_min is None
    assert inner.domain_min == (19.5, 61.0)
    assert whole.domain_min[0] < -10.5 < 97.0 < whole.domain_min[1]


def test_ticks_stand_at_round_minutes_of_the_window_and_never_in_a_band() -> None:
    ticks = view(-10, 96).tick_minutes

    assert ticks[0] == -10
    assert ticks[-1] == 90
    assert all(tick % 10 == 0 for tick in ticks)


def test_the_clock_is_the_sites_with_zone_offset_and_date() -> None:
    tokyo = view(0, 96)
    st_johns = view(0, 96, zone="America/St_Johns")

    assert tokyo.clock_title == "wall clock, Asia/Tokyo (UTC+09:00), 2012-01-19"
    assert st_johns.clock_title == "wall clock, America/St_Johns (UTC−03:30), 2012-01-18"
    assert tokyo.local_start_ms == datetime(2012, 1, 19, 10, 0, tzinfo=UTC).timestamp() * 1000
