"""Numbers as they are printed: half up, a true minus sign, the unit behind a no-break space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

MINUS = "−"
NO_BREAK = "\u00a0"
ABSENT = "–"
"""What stands where a value is not recorded."""


def number(value: float | None, decimals: int = 1) -> str:
    """``101.1``, ``−3.0``, or :data:`ABSENT`; rounded half up as the marts' definitions say."""
    if value is None or math.isnan(value):
        return ABSENT
    # str() first: 2.45 means what it shows, not its binary neighbour 2.4500000000000002.
    step = Decimal(1).scaleb(-decimals)
    return f"{Decimal(str(value)).quantize(step, ROUND_HALF_UP)}".replace("-", MINUS)


def quantity(value: float | None, unit: str, decimals: int = 1) -> str:
    """``12.3 mm``; an absent value has no unit."""
    text = number(value, decimals)
    return text if text == ABSENT else f"{text}{NO_BREAK}{unit}"


def minutes(value: float | None) -> str:
    """``96 min``, with a decimal only where there is one (``2.5 min``)."""
    whole = value is not None and round(value, 1) == round(value)
    return quantity(value, "min", 0 if whole else 1)


def span(low: float | None, high: float | None, decimals: int = 0) -> str:
    """``63–187``."""
    return f"{number(low, decimals)}–{number(high, decimals)}"


def share(count: int, of: int, low: float, high: float) -> str:
    """``3 of 11 (27.3 %, 95 % interval 9.7–56.6 %)``; the limits are shares of 1."""
    percent = f"{number(100 * count / of)}{NO_BREAK}%" if of else ABSENT
    interval = f"95{NO_BREAK}% interval {span(100 * low, 100 * high, 1)}{NO_BREAK}%"
    return f"{count} of {of} ({percent}, {interval})"


def words(symbol: str | float | None) -> str:
    """An enum symbol as text: ``RENAL_CELL_CARCINOMA`` → ``renal cell carcinoma``.

    A frame may hold its nulls as NaN: they are as absent as None.
    """
    return symbol.replace("_", " ").lower() if isinstance(symbol, str) and symbol else ABSENT


def origin_label(counts: Mapping[str, int]) -> str | None:
    """What must be said about data that is not live: ``RECONSTRUCTED data: …``; None when live.

    Beside rows of another origin it says how many it is about, and of no other row anything:
    ``RECONSTRUCTED data (11 of 12 procedures): …``.

    :param counts: number of procedures shown by their ``data_origin``.
    """
    spoken = {
        "RECONSTRUCTED": "rebuilt to meet published totals; {none} is a real person",
        "SYNTHETIC": "made up for trial; {none} is a real person",
        "BACKFILL": "entered later from other records",
        "UNKNOWN": "its origin is not recorded",
    }
    shown = sum(counts.values())
    labels = []
    for origin, said in spoken.items():
        count = counts.get(origin, 0)
        if not count:
            continue
        whole = count == shown
        share_of = "" if whole else f" ({count:,} of {shown:,} procedures)"
        none = "no row" if whole else f"no row marked {origin}"
        labels.append(f"{origin} data{share_of}: {said.format(none=none)}")
    return " · ".join(labels) or None
