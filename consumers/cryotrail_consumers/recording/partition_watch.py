"""Looks now and then how far each partition is: the lag, and whether it still moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import SourceInterrupted
from cryotrail_consumers.reading.source import RecordSource
from cryotrail_consumers.recording.stuck_watchdog import StuckWatchdog
from cryotrail_consumers.recording.tally import Tally

STUCK_AFTER_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 5.0
_LOOKS: Final = 6


class PartitionWatch:
    """Fills ``tally.lag``, and interrupts a source that withholds what it has."""

    def __init__(self, tally: Tally, stuck_after_s: float = STUCK_AFTER_S) -> None:
        self._tally = tally
        self._stuck_after_s = stuck_after_s
        self._pause_s = min(_LONGEST_PAUSE_S, stuck_after_s / _LOOKS or _LONGEST_PAUSE_S)
        self.begin()

    def begin(self) -> None:
        """The partitions were taken over: nothing that was seen before counts."""
        self._watchdog = StuckWatchdog(self._stuck_after_s)
        self._next_s = 0.0

    def look(self, source: RecordSource, owned: Collection[TopicPartition], now_s: float) -> None:
        """Look, if it is time: one question to the cluster every few seconds.

        Everything that was polled must be recorded by now.

        :raises SourceInterrupted: a partition stood still for too long and nothing known holds it.
        """
        if now_s < self._next_s or not owned:
            return
        self._next_s = now_s + self._pause_s
        ends = source.ends()
        positions = source.positions(owned)
        self._tally.lag = _lag(positions, ends)
        moving = {one: at for one, at in positions.items() if one not in self._tally.breakers}
        if stuck := self._watchdog.look(moving, ends, now_s):
            self._tally.stuck_restarts += 1
            listed = ", ".join(map(str, stuck))
            raise SourceInterrupted(
                f"stood still for {self._stuck_after_s:g} s although more is there: {listed};"
                " the source is opened anew",
                hint="nothing to do; tell us when it happens again and again",
            )


def _lag(
    positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> Mapping[TopicPartition, int]:
    return {one: max(0, ends.get(one, at) - at) for one, at in positions.items()}
