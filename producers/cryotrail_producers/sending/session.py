"""One run of the sender with one producer: it ends when told to stop, or with the first failure."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event

from cryotrail_producers.errors import DeliveryFailed, RecordRefused
from cryotrail_producers.outbox.drain import Acknowledged, OutboxDrain, WaitingRow
from cryotrail_producers.sending.refusals import Refusals
from cryotrail_producers.sending.tally import SenderTally
from cryotrail_producers.sending.window import Batch, SendWindow
from cryotrail_producers.settings import SenderSettings
from cryotrail_producers.transport import OutgoingRecord, Placement, Transport
from cryotrail_schemas.datum.times import instant
from cryotrail_schemas.delivery import kafka_headers
from cryotrail_schemas.trace_context import trace_id_of

_log = logging.getLogger(__name__)

_LAST_ACKNOWLEDGEMENTS_S = 2.0

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
        refusals: Refusals,
        sent_again_through: Mapping[str, int],
        tally: SenderTally,
    ) -> None:
        """``sent_again_through``: the newest id, by topic, that was acknowledged once before."""
        self.acknowledged_rows = 0
        """So far in this session."""
        self.new_rows = 0
        """Of those, the ones that were never acknowledged before."""
        self._drains = drains
        self._transport = transport
        self._settings = settings
        self._arrivals = arrivals
        self._refusals = refusals
        self._sent_again_through = sent_again_through
        self._tally = tally
        self._last_offsets: dict[tuple[str, int], int] = {}
        self._check_at = dict.fromkeys(drains, 0.0)
        self._read_from_the_start()

    def run(self, stop: Event, housekeep: Callable[[], None]) -> None:
        """Send until ``stop`` is set, then wait shortly for what is in flight.

        ``housekeep`` is called again and again, at least every ``poll_s`` or ``gather_s``.

        :raises DeliveryFailed: the producer failed, or a log does not hold what it acknowledged:
            everything that is kept must be sent again, by a new session.
        :raises RecordRefused: noted in the outbox and among the refusals; a new session goes on
            with the other procedures.
        :raises CryotrailError: nothing can be handed over now, or an outbox fails.
        """
        for drain in self._drains.values():
            for place, newest in drain.last_acknowledged().items():
                self._last_offsets[place] = newest.offset
        while not stop.is_set():
            self._read()
            self._check_logs()
            self._hand_over()
            gather_s = self._read_at - time.monotonic()
            self._settle(self._collect(gather_s if gather_s > 0 else self._settings.poll_s))
            housekeep()
        deadline = time.monotonic() + _LAST_ACKNOWLEDGEMENTS_S
        while self._window.in_flight_rows and time.monotonic() < deadline:
            self._settle(self._collect(self._settings.poll_s))

    @property
    def in_flight_rows(self) -> int:
        """Handed over and not yet acknowledged."""
        return self._window.in_flight_rows

    def is_gathering(self) -> bool:
        """Whether it will read what waits within ``gather_s``, whatever comes; from any thread."""
        return time.monotonic() < self._read_at

    def _read_from_the_start(self) -> None:
        self._window = SendWindow(
            self._settings.in_flight_rows, self._settings.batch_rows, self._refusals
        )
        self._read_through = dict.fromkeys(self._drains, 0)
        self._read_at = 0.0

    def _read(self) -> None:
        """Take in what waits. After a few rows others may gather, to share a request and a commit:
        a request a row would cost twice what it costs to publish one."""
        if time.monotonic() < self._read_at:
            return
        found = 0
        for topic, drain in self._drains.items():
            bytes_left = self._settings.window_bytes - self._window.held_bytes
            if self._window.held_rows > self._settings.in_flight_rows or bytes_left <= 0:
                break
            rows = drain.waiting(
                self._read_through[topic], self._settings.in_flight_rows, bytes_left
            )
            if rows:
                self._window.add(rows)
                self._read_through[topic] = rows[-1].id
                found += len(rows)
        if 0 < found < self._settings.batch_rows:
            self._read_at = time.monotonic() + self._settings.gather_s

    def _check_logs(self) -> None:
        """Before the first record of a session, and every so often, for each topic in use."""
        for topic, drain in self._drains.items():
            if time.monotonic() < self._check_at[topic]:
                continue
            if not self._read_through[topic] and all(of != topic for of, _ in self._last_offsets):
                continue
            kept = {part: newest for (_, part), newest in drain.last_acknowledged().items()}
            if not kept and not self._read_through[topic]:
                continue
            offsets = {part: newest.offset for part, newest in kept.items()}
            state = self._transport.log_state(topic, offsets)
            if kept and (lack := state.lacks(drain.topic_id(), kept)):
                raise DeliveryFailed(
                    f"the topic {topic} no longer holds what it acknowledged: {lack}",
                    hint="the log was cut or the topic was made anew; what is kept is sent again",
                )
            # Before anything is sent there: what is acknowledged lies in this topic or a later one.
            drain.note_topic_id(state.topic_id)
            self._check_at[topic] = time.monotonic() + self._settings.log_check_s

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
        sent: dict[str, list[WaitingRow]] = defaultdict(list)
        failure: BaseException | None = None
        for batch, future in arrived:
            failure = failure or self._failure(batch, future)
            if failure is None:
                self._remember(batch, future.result())
                sent[batch.lane[0]] += batch.rows
                acknowledged[batch.lane[0]] += [
                    Acknowledged(row.id, placement.part, placement.offset)
                    for row, placement in zip(batch.rows, future.result(), strict=True)
                ]
        for topic, rows in acknowledged.items():
            self._drains[topic].acknowledge(rows)
            self.acknowledged_rows += len(rows)
            sent_again_through = self._sent_again_through.get(topic, 0)
            new = [row for row in sent[topic] if row.id > sent_again_through]
            self.new_rows += len(new)
            self._tally.sent_again += len(rows) - len(new)
            self._tally.add((row.source, row.event_type) for row in new)
        if failure is not None:
            raise failure
        for batch, _ in arrived:
            if batch.rows[0].id == self._refusals.row_id(batch.lane):
                # It went alone, and what lies behind it was not held.
                self._refusals.forget(batch.lane)
                self._read_from_the_start()
            else:
                self._window.settle(batch)

    def _failure(self, batch: Batch, future: Future[list[Placement]]) -> BaseException | None:
        error = future.exception()
        if error is None:
            return self._lost(batch, future.result())
        if isinstance(error, RecordRefused):
            row = batch.rows[error.index]
            text = f"{row.event_type} {row.event_id} of procedure {row.procedure_id}: {error}"
            self._drains[row.topic].refuse(row.id, text)
            if self._refusals.note(row.lane, row.id):
                _log.error(
                    "%s; later events of the procedure wait behind it",
                    text,
                    extra={
                        "event_id": str(row.event_id),
                        "event_type": row.event_type,
                        "topic": row.topic,
                        "trace_id": row.traceparent and trace_id_of(row.traceparent),
                    },
                )
        return error

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
    return OutgoingRecord(
        topic=row.topic,
        key=str(row.procedure_id).encode(),
        value=row.value,
        headers=kafka_headers(
            row.event_type,
            row.event_id,
            row.source,
            instant(row.occurred_us),
            row.producer_id,
            row.producer_seq,
            row.procedure_seq,
            traceparent=row.traceparent,
            signing_key_id=row.signing_key_id,
            signature=row.signature,
        ),
    )
