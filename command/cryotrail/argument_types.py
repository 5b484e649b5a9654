"""Types of command-line arguments that more than one command takes."""

from __future__ import annotations

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
