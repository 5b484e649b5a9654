"""Publishing at the pace of the room, or a multiple of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from cryotrail_producers.replay.stream import published_at
from cryotrail_schemas.events import Event

LONGEST_PAUSE = timedelta(minutes=30)
"""Nights, weeks and months between events are passed over; the longest gap in a procedure is
shorter."""


def paced(
    events: Iterable[Event],
    speed: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """Yield events ``speed`` times as fast as they happened; 0 = as fast as they are taken.

    Where the taker falls behind, no pause is made until it has caught up.
    """
    if speed <= 0:
        yield from events
        return
    due_s, before = clock(), None
    for event in events:
        at = published_at(event)
        if before is not None and timedelta(0) < at - before <= LONGEST_PAUSE:
            due_s += (at - before).total_seconds() / speed
            sleep(max(0.0, due_s - clock()))
        before = at
        yield event
