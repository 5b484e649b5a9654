"""Times as people of the site read them: the site's zone, always named, never the browser's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cryotrail_dashboards.units import MINUS


def site_time(at: datetime, zone: ZoneInfo) -> str:
    """``2012-01-19 10:24:00``: the site's clock. The zone stands in the column's or axis's title.

    :param at: an aware time.
    """
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def site_clock(at: datetime, zone: ZoneInfo) -> str:
    """``10:24:00``: the site's clock without its date."""
    return at.astimezone(zone).strftime("%H:%M:%S")


def zone_label(at: datetime, zone: ZoneInfo) -> str:
    """``Asia/Tokyo (UTC+09:00)``: the zone and its offset at that moment."""
    return f"{zone.key} (UTC{_offset(at, zone)})"


def utc_offset(at: datetime, zone: ZoneInfo) -> timedelta:
    """The zone's offset from UTC at that moment."""
    return at.astimezone(zone).utcoffset() or timedelta()


def elapsed(minutes: float) -> str:
    """Minutes since the start event as a person says them: ``T+44 min``, ``T−1 d``, ``T+35 mo``.

    One month = 30.4375 days, as everywhere in the marts.
    """
    sign = MINUS if minutes < 0 else "+"
    size = abs(minutes)
    for limit, divisor, unit in (
        (180, 1, "min"),
        (2 * 1440, 60, "h"),
        (60 * 1440, 1440, "d"),
    ):
        if size < limit:
            return f"T{sign}{size / divisor:.0f} {unit}"
    return f"T{sign}{size / (30.4375 * 1440):.0f} mo"


def age(since: datetime, now: datetime) -> str:
    """How long ago, in one unit: ``38 s``, ``12 min``, ``5 h``, ``9 d``."""
    seconds = max(0.0, (now - since).total_seconds())
    for limit, divisor, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / divisor:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def _offset(at: datetime, zone: ZoneInfo) -> str:
    minutes = round(utc_offset(at, zone).total_seconds() / 60)
    sign = MINUS if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
