"""What a sink did with the events it was given: lost, twice, written again, out of order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple


class Published(NamedTuple):
    """Where an event stands in what was published."""

    procedure: str
    """Whose order counts: the procedure and the topic, between two topics there is none."""
    place: int
    """A number that grows within the procedure."""


@dataclass(frozen=True)
class Account:
    """The numbers of one sink; all are 0 for one that records each event once and in order."""

    lost: int
    """Published events that no row holds at the end."""
    duplicated: int
    """Rows at the end beyond one an event."""
    rewritten: int
    """Writes of an event that was written before, committed: an overwritten or a second row."""
    order_breaks: int
    """First writes of an event in a later transaction than a later event of its procedure."""
    invented: int
    """Rows of events that were never published."""


def account(
    published: Mapping[str, Published], written: Iterable[tuple[int, str]], rows: Iterable[str]
) -> Account:
    """Compare what was published with what came of it.

    :param published: by event id.
    :param written: transaction and event id of each committed insert or update, in the order of
        the writes. Within one transaction nobody can see an order.
    :param rows: the event id of each row at the end.
    """
    kept = Counter(rows)
    rewritten = order_breaks = 0
    seen: set[str] = set()
    furthest: dict[str, int] = {}  # of the transactions before
    for _, writes in groupby(written, key=itemgetter(0)):
        reached: dict[str, int] = {}
        for _, event_id in writes:
            if event_id in seen:
                rewritten += 1
                continue
            seen.add(event_id)
            if (event := published.get(event_id)) is not None:
                order_breaks += event.place < furthest.get(event.procedure, -1)
                reached[event.procedure] = max(event.place, reached.get(event.procedure, -1))
        for procedure, place in reached.items():
            furthest[procedure] = max(place, furthest.get(procedure, -1))
    return Account(
        lost=len(published.keys() - kept.keys()),
        duplicated=sum(kept.values()) - len(kept),
        rewritten=rewritten,
        order_breaks=order_breaks,
        invented=len(kept.keys() - published.keys()),
    )
