"""How long after it occurred an event was stored, as a histogram for each topic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

BOUNDS_S: Final = (
    *(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0),
    *(10.0, 15.0, 30.0, 60.0, 300.0, 3600.0, 86400.0),
)
"""Seconds. Close together where the promise is (0.3 s, 1 s), and around the ten seconds that a chunk
of samples takes to fill; far apart where a network was away."""

_BOUNDS_US: Final = [int(bound * 1e6) for bound in BOUNDS_S]


class Latencies(NamedTuple):
    """The histogram of one topic so far."""

    cumulative: tuple[int, ...]
    """Events within each of :data:`BOUNDS_S`, and at last all of them."""
    sum_s: float


EMPTY: Final = Latencies((0,) * (len(BOUNDS_S) + 1), 0.0)


def with_more(known: Latencies, occurred_us: Iterable[int], stored_us: int) -> Latencies:
    """The histogram after events that were stored together.

    An event from a clock that runs ahead counts as stored at once.
    """
    late_us = sorted([max(0, stored_us - at_us) for at_us in occurred_us])
    counts = (*(bisect_right(late_us, bound) for bound in _BOUNDS_US), len(late_us))
    return Latencies(
        tuple(before + more for before, more in zip(known.cumulative, counts, strict=True)),
        known.sum_s + sum(late_us) / 1e6,
    )
