"""Types of command-line arguments that more than one command takes."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
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
