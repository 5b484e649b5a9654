"""Delivery numbers that were skipped: events that a producer numbered and that did not arrive.

A producer numbers its events of a procedure on a topic 1, 2, 3, … and Kafka keeps their order, so
a number that follows any but the one before it says that something was lost on the way, or is
still to be sent again. What is seen here is what this process read: the first number of a
producer and procedure that it sees begins the count, whatever it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from operator import itemgetter
from typing import Final

from cryotrail_audit.records import IncomingRecord

_MOST: Final = 20_000
"""Procedures, by producer and topic, whose last number is kept."""

# By place in the tuple: this looks at every record of the hot path.
_PLACE: Final = IncomingRecord._fields.index
_SERIES: Final = itemgetter(*map(_PLACE, ("producer_id", "procedure_id", "topic_id")))
_NUMBER: Final = itemgetter(_PLACE("procedure_seq"))

Label = Callable[[IncomingRecord], str]


class SequenceGaps:
    """Counts gaps, by the system whose numbers have them."""

    def __init__(self, label: Label) -> None:
        """``label`` names the system; it is asked for a record after a gap only."""
        self.counts: Mapping[str, int] = {}
        """So far; replaced and never changed, so that any thread may read it."""
        self._label = label
        self._last: dict[tuple[str | None, bytes | None, int | None], int] = {}

    def look_at(self, records: list[IncomingRecord]) -> None:
        """Compare each number with the one before it."""
        last = self._last
        for record, key, number in zip(
            records, map(_SERIES, records), map(_NUMBER, records), strict=True
        ):
            if number is None:
                continue
            before = last.get(key, number - 1)
            if number > before:  # else it came before: a redelivery
                last[key] = number
                if number != before + 1:
                    self.counts = Counter(self.counts) + Counter([self._label(record)])
        if len(last) > _MOST:
            for key in list(islice(last, len(last) - _MOST // 2)):
                del last[key]
