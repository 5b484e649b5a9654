"""What a sender holds between the outbox and Kafka: at most one batch of a procedure in flight.

A procedure's next batch is handed over only after the one before it was acknowledged whole, so
no failure can put a later event before an earlier one; other procedures go on meanwhile. A row that
Kafka refused is tried again alone, so that its failure takes nothing else with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryotrail_producers.outbox.drain import Lane, WaitingRow
from cryotrail_producers.sending.refusals import Refusals


@dataclass(eq=False)
class Batch:
    """Rows of one lane that are handed over together."""

    lane: Lane
    rows: list[WaitingRow]
    last_offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    """The highest offset per topic and partition that was known when the batch was handed over."""


class SendWindow:
    """Waiting rows by procedure, within a bound on what is in flight. Does no I/O.

    Rows behind a refused one are not held, so that they take no room: once it is acknowledged,
    which is not settled here, they are to be read again, into a new window.
    """

    def __init__(self, in_flight_rows: int, batch_rows: int, refusals: Refusals) -> None:
        self._in_flight_limit = in_flight_rows
        self._batch_rows = batch_rows
        self._refusals = refusals
        self._stopped: list[Lane] = []
        self._trying_again = False
        self._queues: dict[Lane, deque[WaitingRow]] = {}
        self._ready: deque[Lane] = deque()
        self._in_flight: set[Lane] = set()
        self.in_flight_rows = 0
        self.held_rows = 0
        self.held_bytes = 0

    def add(self, rows: Sequence[WaitingRow]) -> None:
        """Take in rows, which come in order of id."""
        for row in rows:
            lane, refused_id = row.lane, self._refusals.row_id(row.lane)
            if refused_id is not None and row.id > refused_id:
                continue
            queue = self._queues.get(lane)
            if queue is None:
                queue = self._queues[lane] = deque()
                if lane not in self._in_flight:
                    self._ready.append(lane)
            queue.append(row)
            if row.id != refused_id:  # It may stay for long, and others need the room.
                self.held_bytes += len(row.value)
                self.held_rows += 1

    def next_batch(self) -> Batch | None:
        """The batch to hand over now, or None: nothing is ready, or enough is in flight."""
        room = self._in_flight_limit - self.in_flight_rows
        if self._trying_again or room <= 0:
            return None
        again = next((lane for lane in self._stopped if self._refusals.is_due(lane)), None)
        if again is not None:
            if self.in_flight_rows:
                return None
            self._trying_again = True
            return self._batch(again, 1)
        while self._ready:
            lane = self._ready.popleft()
            queue = self._queues[lane]
            free_rows = len(queue) - (queue[-1].id == self._refusals.row_id(lane))
            if free_rows:
                return self._batch(lane, min(free_rows, room, self._batch_rows))
            self._stopped.append(lane)
        return None

    def _batch(self, lane: Lane, row_count: int) -> Batch:
        queue = self._queues[lane]
        rows = [queue.popleft() for _ in range(row_count)]
        if not queue:
            del self._queues[lane]
        self._in_flight.add(lane)
        self.in_flight_rows += len(rows)
        return Batch(lane, rows)

    def settle(self, batch: Batch) -> None:
        """Every row of ``batch`` was acknowledged: the lane's next batch may follow."""
        self._in_flight.remove(batch.lane)
        self.in_flight_rows -= len(batch.rows)
        self.held_rows -= len(batch.rows)
        self.held_bytes -= sum(len(row.value) for row in batch.rows)
        if batch.lane in self._queues:
            self._ready.append(batch.lane)
