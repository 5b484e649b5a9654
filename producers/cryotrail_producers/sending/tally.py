"""What the sender of one process has done, and how it stands: for lights, commands and metrics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class SenderTally:
    """Counts since the sender was made.

    The sender's thread writes it and any thread may read it: mappings are replaced and never
    changed.
    """

    sent: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Events that Kafka acknowledged for the first time, by ``source`` and event type."""
    sent_again: int = 0
    """Events acknowledged once more, after a log had lost them or might have."""
    failures: int = 0
    """How often sending broke off and began anew."""
    is_sender: bool = False
    """This process holds the sender's lock, and sends."""
    another_sends: bool = False
    """Another process holds it. With neither nobody is known to send: the sender has not begun, was
    closed, or cannot use the lock's file."""
    turned_s: float | None = None
    """When the sender's loop last turned, by the monotonic clock; None = it has not begun."""

    def turned(self) -> None:
        """The loop turned."""
        self.turned_s = time.monotonic()

    def age_s(self) -> float | None:
        """Seconds since the loop last turned; None = it has not begun."""
        return None if self.turned_s is None else time.monotonic() - self.turned_s

    def add(self, events: Iterable[tuple[str, str]]) -> None:
        """Count events that were acknowledged for the first time."""
        counted = Counter(self.sent)
        counted.update(events)
        self.sent = dict(counted)
