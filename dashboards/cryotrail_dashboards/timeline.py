"""What part of a procedure's time is shown, and where: one time axis shared by three panels.

Time is minutes since ProcedureStarted. The *day* is what the axis can show; the *window* is the
part of it that the reader chose. What happened outside the day (consent before, discharge and
imaging after) stands in a band at either side, which is not to scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cryotrail_dashboards.clock import utc_offset, zone_label

NEAR_MIN = 60.0
"""Events up to this long before the start or after the end still lie on the axis."""

BAND_SHARE = 0.19
"""Width of a band, as a share of the window."""

_STEPS_MIN = (1, 2, 5, 10, 15, 20, 30, 60, 120, 240, 480, 1440)
_TICKS_AT_MOST = 16


@dataclass(frozen=True, slots=True)
class Day:
    """The span of the axis in whole minutes; every event within it can be drawn to scale."""

    first_min: int
    last_min: int

    def holds(self, t_min: float) -> bool:
        """Whether an event at ``t_min`` lies on the axis, and not in a band."""
        return self.first_min <= t_min <= self.last_min


def day_of(event_minutes: list[float], end_min: float | None) -> Day:
    """The day of a procedure from the minutes of all its events.

    :param end_min: minutes from start to end; None while no end is recorded, then the last
        event of an unbroken run of events ends the day.
    """
    near_before = [t for t in event_minutes if -NEAR_MIN <= t <= 0]
    last = end_min if end_min is not None else _unbroken_until(event_minutes)
    near_after = [t for t in event_minutes if last <= t <= last + NEAR_MIN]
    first = math.floor(min([0.0, *near_before]))
    return Day(first, max(first + 1, math.ceil(max([last, *near_after]))))


def _unbroken_until(event_minutes: list[float]) -> float:
    """The last event reached from minute 0 without a pause longer than :data:`NEAR_MIN`."""
    last = 0.0
    for t in sorted(t for t in event_minutes if t >= 0):
        if t - last > NEAR_MIN:
            break
        last = t
    return last


@dataclass(frozen=True, slots=True)
class View:
    """A window of a day, and everything that the panels' shared time axis needs."""

    day: Day
    from_min: int
    to_min: int
    started_at: datetime
    """ProcedureStarted, aware."""
    zone: ZoneInfo
    has_before: bool
    """Events lie before the day: the band is drawn when the window reaches the day's start."""
    has_after: bool

    @property
    def band_min(self) -> float:
        """Width of a band in minutes of the axis."""
        return BAND_SHARE * (self.to_min - self.from_min)

    @property
    def before_band_min(self) -> tuple[float, float] | None:
        """From and to of the band "before", or None when it is not drawn."""
        if not self.has_before or self.from_min > self.day.first_min:
            return None
        edge = self.from_min - 0.5
        return edge - self.band_min, edge

    @property
    def after_band_min(self) -> tuple[float, float] | None:
        """From and to of the band "after", or None when it is not drawn."""
        if not self.has_after or self.to_min < self.day.last_min:
            return None
        edge = self.to_min + 1.0
        return edge, edge + self.band_min

    @property
    def domain_min(self) -> tuple[float, float]:
        """The axis's domain: the window, a little air, and the bands that are drawn."""
        before, after = self.before_band_min, self.after_band_min
        return (
            before[0] if before else self.from_min - 0.5,
            after[1] if after else self.to_min + 1.0,
        )

    @property
    def tick_minutes(self) -> list[int]:
        """Minutes that carry a tick: inside the window, at round numbers, never in a band."""
        width = self.to_min - self.from_min
        step = next((s for s in _STEPS_MIN if width / s <= _TICKS_AT_MOST), _STEPS_MIN[-1])
        return list(range(math.ceil(self.from_min / step) * step, self.to_min + 1, step))

    @property
    def local_start_ms(self) -> float:
        """Milliseconds since 1970 of the site's clock at the start, read as if it were UTC.

        The axis prints it with ``utcFormat``, so that no browser's zone can touch the clock.
        """
        return (self.started_at.timestamp() + self._offset_s) * 1000

    @property
    def clock_title(self) -> str:
        """``wall clock, Asia/Tokyo (UTC+09:00), 2012-01-19``."""
        date = self.started_at.astimezone(self.zone).date().isoformat()
        return f"wall clock, {zone_label(self.started_at, self.zone)}, {date}"

    @property
    def _offset_s(self) -> float:
        return utc_offset(self.started_at, self.zone).total_seconds()


def window_of(day: Day, from_min: str | None, to_min: str | None) -> tuple[int, int]:
    """The window that an address asks for, within the day; the whole day where it makes no sense.

    :param from_min: minutes as text, as they stand in the address; None = the day's start.
    :param to_min: the same for the end.
    """
    low = _whole(from_min, day.first_min)
    high = _whole(to_min, day.last_min)
    low, high = max(low, day.first_min), min(high, day.last_min)
    return (low, high) if low < high else (day.first_min, day.last_min)


def _whole(text: str | None, default: int) -> int:
    try:
        return default if text is None else round(float(text))
    except (ValueError, OverflowError):
        return default
