"""Command-line arguments that more than one command takes, and their types."""

from __future__ import annotations

import math
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cryotrail.console import say
from cryotrail_schemas.trace_context import is_traceparent


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


def one_line(text: str) -> str:
    """A reason, a name or a ground that is to stand in the log: one line that says something.

    :raises ArgumentTypeError: nothing, more than 500 characters, or control characters.
    """
    if not text.strip() or not text.isprintable() or len(text) > 500:
        raise ArgumentTypeError("one line of text, at most 500 characters: it stays in the log")
    return text.strip()


def traceparent(text: str) -> str:
    """A W3C trace context, ``00-<32 hex>-<16 hex>-<2 hex>``.

    :raises ArgumentTypeError: it is none.
    """
    if not is_traceparent(text):
        raise ArgumentTypeError(
            "no traceparent: 00-<32 hexadecimal digits>-<16>-<2>, in lower case, ids not all zero"
        )
    return text


def add_http(parser: ArgumentParser, setting: str) -> None:
    """Add ``--http``, the address for health and metrics, which else ``setting`` names."""
    parser.add_argument(
        "--http",
        metavar="HOST:PORT",
        help="answer /healthz, /readyz and /metrics there; a port alone is one of the loopback, 0 a"
        f" free one (else CRYOTRAIL_{setting}, else nowhere)",
    )


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


def say_if_to_come(recorded_us: int | None) -> None:
    """Say of a time that is still to come what is shown instead."""
    if recorded_us is not None and recorded_us > time.time_ns() // 1000:
        say("that time is still to come: this is what is known until now")
