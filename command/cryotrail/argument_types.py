"""Command-line arguments that more than one command takes, and their types."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def site_zone(text: str) -> str:
    """The name of an IANA zone, such as ``Asia/Tokyo``.

    :raises ArgumentTypeError: there is no such zone on this computer.
    """
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise ArgumentTypeError(
            f"{text!r} is no IANA zone such as Asia/Tokyo or Europe/Zurich"
        ) from error


def moment(text: str) -> datetime:
    """A time in ISO 8601 with a zone, such as ``2026-11-22T10:24:00Z``.

    :raises ArgumentTypeError: no such time, or one without a zone.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is no time with a zone, such as 2026-11-22T10:24:00Z")
    return parsed


def port(text: str) -> int:
    """A TCP port that can be listened on.

    :raises ArgumentTypeError: not a whole number from 1 to 65535.
    """
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ArgumentTypeError(f"{text!r} is no port: a whole number from 1 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """A length of time in seconds.

    :raises ArgumentTypeError: not a finite number, or below zero.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"{text!r} is no length of time: seconds, zero or more")
    return value


def moment_us(text: str) -> int:
    """A time in ISO 8601 with a zone, in microseconds since 1970-01-01T00:00:00Z.

    :raises ArgumentTypeError: no such time, or one without a zone.
    """
    return (moment(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def entry_number(text: str) -> int:
    """The number of an entry of the log.

    :raises ArgumentTypeError: not a whole number from 0 on.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ArgumentTypeError(f"{text!r} is no number of an entry: 0, 1, 2, …")
    return int(text)


def add_as_of(parser: ArgumentParser) -> None:
    """The two ways to name an earlier state of the log."""
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--as-of",
        metavar="TIME",
        type=moment_us,
        help="what was recorded by this time of the store's clock, such as 2026-11-22T10:24:00Z",
    )
    when.add_argument(
        "--as-of-seq", metavar="SEQ", type=entry_number, help="the log through this entry"
    )
