"""Forms of instants and calendar days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from cryotrail_schemas.datum.form import Form, ValueRefused, described

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)
_NAIVE: Final = "naive time: give it a zone, such as 2026-11-22T10:24:00Z"


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z, exactly.

    :raises TypeError: the time is naive.
    """
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


LEAST_US: Final = microseconds(datetime.min.replace(tzinfo=UTC))
GREATEST_US: Final = microseconds(datetime.max.replace(tzinfo=UTC))
"""Years 1 to 9999, which Python, PostgreSQL, SQLite and DuckDB can all hold."""


def instant(since_us: int) -> datetime:
    """The time so many microseconds after 1970-01-01T00:00:00Z, in UTC.

    :raises ValueError: it is outside the years 1 to 9999.
    """
    if not LEAST_US <= since_us <= GREATEST_US:
        raise ValueError(f"{since_us} microseconds are outside the years 1 to 9999")
    return _EPOCH + timedelta(microseconds=since_us)


class Timestamp(Form):
    """An aware instant; on the wire microseconds since 1970 in UTC, in JSON ISO 8601 with Z."""

    demanding = True

    def to_plain(self, value: Any) -> int:
        if not isinstance(value, datetime):
            raise ValueRefused(f"expected a time, got {described(value)}")
        try:
            plain = microseconds(value)
        except TypeError:
            raise ValueRefused(_NAIVE) from None
        if not LEAST_US <= plain <= GREATEST_US:
            raise ValueRefused(f"{value} is not within the years 1 to 9999 in UTC")
        return plain

    def from_plain(self, plain: Any) -> datetime:
        return instant(plain)

    def to_json(self, value: Any) -> str:
        return str(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))

    def from_json(self, value: Any) -> datetime:
        try:
            return datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueRefused(f"expected a time in ISO 8601, got {described(value)}") from None


class Day(Form):
    """A calendar day of the site; on the wire days since 1970-01-01, in JSON ``YYYY-MM-DD``."""

    demanding = True

    def to_plain(self, value: Any) -> int:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise ValueRefused(f"expected a calendar day, got {described(value)}")
        return (value - _EPOCH_DAY).days

    def from_plain(self, plain: Any) -> date:
        try:
            return _EPOCH_DAY + timedelta(days=plain)
        except OverflowError:
            raise ValueError(f"day {plain} is outside the years 1 to 9999") from None

    def to_json(self, value: Any) -> str:
        return str(value.isoformat())

    def from_json(self, value: Any) -> date:
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueRefused(f"expected a day as YYYY-MM-DD, got {described(value)}") from None
