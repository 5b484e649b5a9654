"""Notices a partition that stands still although it has records to give.

A client library can forget a partition: after a rebalance, kafka-python 3.0.7 and 3.0.8 returned
nothing more of those that it kept, without an error. Only a look from outside finds that.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryotrail_consumers.coordinates import TopicPartition

_LOOKS = 3


class StuckWatchdog:
    """Compares positions and ends of partitions from one look to the next."""

    def __init__(self, stuck_after_s: float) -> None:
        """``stuck_after_s``: how long a partition may stand still; look three times as often.

        0 = none is ever stuck.
        """
        self._stuck_after_s = stuck_after_s
        self._positions: Mapping[TopicPartition, int] = {}
        self._frozen_s: dict[TopicPartition, float] = {}
        self._looked_s: float | None = None

    def look(
        self,
        positions: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        now_s: float,
    ) -> list[TopicPartition]:
        """The partitions that did not move for too long with records before their end.

        :param positions: of the partitions that nothing known holds up; others are left out.
        """
        elapsed_s = 0.0 if self._looked_s is None else now_s - self._looked_s
        # A process that was stopped for a while was not looking: that is no standstill.
        counted_s = min(elapsed_s, self._stuck_after_s / _LOOKS)
        self._frozen_s = {
            partition: self._frozen_s.get(partition, 0.0) + counted_s
            for partition, position in positions.items()
            if position < ends.get(partition, position)
            and self._positions.get(partition) == position
        }
        self._positions, self._looked_s = dict(positions), now_s
        limit_s = self._stuck_after_s or float("inf")
        return [one for one, frozen_s in self._frozen_s.items() if frozen_s >= limit_s]
