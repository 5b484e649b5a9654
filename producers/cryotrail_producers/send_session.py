"""One run of the sender with one producer: it ends when told to stop, or with the first failure."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event

from cryotrail_producers.errors import DeliveryFailed
from cryotrail_producers.outbox_drain import Acknowledged, OutboxDrain, WaitingRow
from cryotrail_producers.send_window import Batch, SendWindow
from cryotrail_producers.settings import SenderSettings
from cryotrail_producers.transport import OutgoingRecord, Placement, Transport
from cryotrail_schemas.delivery import kafka_headers

_LAST_ACKNOWLEDGEMENTS_S = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Arrivals = SimpleQueue[tuple[Batch, Future[list[Placement]]] | None]
"""Batches whose future resolved; None when there may be something new to send."""


class SendSession:
    """Reads what waits, hands it over, marks what was acknowledged. One thread runs it."""

    def __init__(
        self,
        drains: Mapping[str, OutboxDrain],
        transport: Transport,
        settings: SenderSettings,
        arrivals: Arrivals,
    ) -> None:
        self.acknowledged_rows = 0
        """So far in this session."""
        self._drains = drains
        self._transport = transport
        self._settings = settings
        self._arrivals = arrivals
        self._window = SendWindow(settings.in_flight_rows, settings.batch_rows)
        self._read_through = dict.fromkeys(drains, 0)
        self._last_offsets: dict[tuple[str, int], int] = {}

    def run(self, stop: Event, housekeep: Callable[[], None]) -> None:
        """Send until ``stop`` is set, then wait shortly for what is in flight.

        ``housekeep`` is called again and again, at least every ``poll_s``.

        :raises DeliveryFailed: the producer failed, or a log went back behind an acknowledged
            offset: everything that is kept must be sent again, by a new session.
        :raises CryotrailError: nothing can be handed over now, or an outbox fails.
        """
        for drain in self._drains.values():
            self._last_offsets |= drain.last_offsets()
        while not stop.is_set():
            self._read()
            self._hand_over()
            self._settle(self._collect(self._settings.poll_s))
            housekeep()
        deadline = time.monotonic() + _LAST_ACKNOWLEDGEMENTS_S
        while self._window.in_flight_rows and time.monotonic() < deadline:
            self._settle(self._collect(self._settings.poll_s))

    def _read(self) -> None:
        for topic, drain in self._drains.items():
            bytes_left = self._settings.window_bytes - self._window.held_bytes
            if self._window.held_rows > self._settings.in_flight_rows or bytes_left <= 0:
                return
            rows = drain.waiting(
                self._read_through[topic], self._settings.in_flight_rows, bytes_left
            )
            if rows:
                self._window.add(rows)
                self._read_through[topic] = rows[-1].id

    def _hand_over(self) -> None:
        while (batch := self._window.next_batch()) is not None:
            batch.last_offsets = dict(self._last_offsets)
            future = self._transport.send([outgoing_record(row) for row in batch.rows])
            future.add_done_callback(partial(self._arrived, batch))

    def _arrived(self, batch: Batch, future: Future[list[Placement]]) -> None:
        self._arrivals.put((batch, future))

    def _collect(self, timeout_s: float) -> list[tuple[Batch, Future[list[Placement]]]]:
        """Everything that has arrived; waits for the first, so that one commit marks many."""
        arrived = []
        try:
            arrived.append(self._arrivals.get(timeout=timeout_s))
            while True:
                arrived.append(self._arrivals.get_nowait())
        except Empty:
            return [pair for pair in arrived if pair is not None]

    def _settle(self, arrived: list[tuple[Batch, Future[list[Placement]]]]) -> None:
        acknowledged: dict[str, list[Acknowledged]] = defaultdict(list)
        failure: BaseException | None = None
        for batch, future in arrived:
            failure = failure or future.exception() or self._lost(batch, future.result())
            if failure is None:
                self._remember(batch, future.result())
                acknowledged[batch.lane[0]] += [
                    Acknowledged(row.id, placement.part, placement.offset)
                    for row, placement in zip(batch.rows, future.result(), strict=True)
                ]
        for topic, rows in acknowledged.items():
            self._drains[topic].acknowledge(rows)
            self.acknowledged_rows += len(rows)
        if failure is not None:
            raise failure
        for batch, _ in arrived:
            self._window.settle(batch)

    def _lost(self, batch: Batch, placements: list[Placement]) -> DeliveryFailed | None:
        # Compared with what was known when the batch was handed over: batches of two procedures
        # may interleave on one partition and their futures resolve in either order.
        for placement in placements:
            known = batch.last_offsets.get((batch.lane[0], placement.part), -1)
            if placement.offset <= known:
                return DeliveryFailed(
                    f"{batch.lane[0]}, partition {placement.part}: a new record got offset "
                    f"{placement.offset}, yet {known} was acknowledged before it",
                    hint="the log was cut or the topic was made anew; what is kept is sent again",
                )
        return None

    def _remember(self, batch: Batch, placements: list[Placement]) -> None:
        for placement in placements:
            key = (batch.lane[0], placement.part)
            if placement.offset > self._last_offsets.get(key, -1):
                self._last_offsets[key] = placement.offset


def outgoing_record(row: WaitingRow) -> OutgoingRecord:
    """A row as it goes on the wire: key, value and headers of the ``cryotrail`` topics."""
    occurred_at = _EPOCH + timedelta(microseconds=row.occurred_us)
    return OutgoingRecord(
        topic=row.topic,
        key=str(row.procedure_id).encode(),
        value=row.value,
        headers=kafka_headers(
            row.event_type,
            row.event_id,
            row.source,
            occurred_at,
            row.producer_id,
            row.producer_seq,
            row.procedure_seq,
        ),
    )
