"""The one sender of an outbox pair: from the files to Kafka, whatever happens to either."""

from __future__ import annotations

import gc
import logging
import time
from contextlib import ExitStack, closing
from queue import SimpleQueue
from threading import Event

from cryotrail_producers.back_off import BackOff
from cryotrail_producers.errors import DeliveryFailed, OutboxReplaced, RecordRefused
from cryotrail_producers.outbox.drain import OutboxDrain
from cryotrail_producers.outbox.pair import OutboxPair
from cryotrail_producers.outbox_file.file_lock import FileLock
from cryotrail_producers.sending.refusals import Refusals
from cryotrail_producers.sending.session import Arrivals, SendSession
from cryotrail_producers.sending.tally import SenderTally
from cryotrail_producers.settings import SenderSettings
from cryotrail_producers.transport import Transport
from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

_TRY_LOCK_S = 0.2
_HOUSEKEEPING_S = 1.0
_SYNC_FOR_OTHERS_S = 5.0
_COLLECT_S = 60.0


class Sender:
    """Drains an outbox pair while it holds the pair's sender lock, and waits for the lock else.

    A failure is never the end: it becomes :attr:`problem`, and after a back-off a new session
    begins with a new producer. After a :class:`DeliveryFailed` everything that is kept is sent
    again first. A record that Kafka refuses stops its procedure alone; the outbox's status tells it.
    """

    def __init__(
        self, outboxes: OutboxPair, transport: Transport, settings: SenderSettings, grace_s: float
    ) -> None:
        self.problem: str | None = None
        """What keeps this process from sending; None when nothing does, or another one sends."""
        self.tally = SenderTally()
        self._outboxes = outboxes
        self._transport = transport
        self._settings = settings
        self._grace_s = grace_s
        self._arrivals: Arrivals = SimpleQueue()
        self._session: SendSession | None = None
        self._next_housekeeping = 0.0
        self._next_sync = 0.0
        self._unanswered = (0, 0.0)
        self._sent_again_through: dict[str, int] = {}

    def wake(self) -> None:
        """There is something new in the outbox; from any thread."""
        session = self._session
        # It reads when it has gathered: waking it for each event would only cost.
        if session is None or not session.is_gathering():
            self.interrupt()

    def interrupt(self) -> None:
        """Look around at once, as when it is to stop; from any thread."""
        if self._arrivals.empty():
            self._arrivals.put(None)

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set; blocks."""
        while not stop.is_set():
            try:
                self._run_locked(stop)
            except OSError as error:  # the lock file, on a disk that is full or taken away
                self._report(error)
                self._pause(stop, self._settings.back_off_max_s)

    def _run_locked(self, stop: Event) -> None:
        with closing(FileLock(self._outboxes.sender_lock_path)) as lock:
            try:
                while not stop.is_set():
                    self.tally.turned()
                    self.tally.is_sender = lock.try_exclusive()
                    self.tally.another_sends = not self.tally.is_sender
                    self.problem = None
                    if self.tally.is_sender:
                        self._run_sessions(stop)
                    else:
                        stop.wait(_TRY_LOCK_S)
            finally:
                # Before the lock is let go: from then on another process may be the sender.
                self.tally.is_sender = self.tally.another_sends = False

    def _run_sessions(self, stop: Event) -> None:
        back_off = BackOff(self._settings.back_off_min_s, self._settings.back_off_max_s)
        refusals = self._no_refusals()
        while not stop.is_set():
            try:
                self._run_session(back_off, refusals, stop)
            except RecordRefused:
                self.problem = None
                continue
            except OutboxReplaced as error:
                # Who waits behind a refused row that the damage took would wait for ever.
                refusals = self._no_refusals()
                self._report(error)
            except CryotrailError as error:
                self._report(error)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001
                # No fault of ours or of a library's may end a room's sending. What a library
                # raises need not be an Exception: asyncio's CancelledError is none.
                _log.exception("the sender failed")
                self._report(error)
            else:
                return
            self.tally.failures += 1
            self._pause(stop, back_off.next_s())

    def _no_refusals(self) -> Refusals:
        return Refusals(self._settings.back_off_min_s, self._settings.back_off_max_s)

    def _pause(self, stop: Event, wait_s: float) -> None:
        """Wait, and let whoever watches see that this is no standstill."""
        until = time.monotonic() + wait_s
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            self.tally.turned()
            stop.wait(min(left_s, 1.0))

    def _run_session(self, back_off: BackOff, refusals: Refusals, stop: Event) -> None:
        self._arrivals = SimpleQueue()  # What arrives for an earlier session says nothing here.
        with ExitStack() as opened:
            drains = self._outboxes.open_drains()
            for drain in drains.values():
                opened.callback(drain.close)
            session = SendSession(
                drains,
                self._transport,
                self._settings,
                self._arrivals,
                refusals,
                self._sent_again_through,
                self.tally,
            )
            self._session = session
            try:
                session.run(stop, lambda: self._housekeep(drains, session, back_off))
            except DeliveryFailed as error:
                _log.error("%s; %d acknowledged events are sent again", error, self._resend(drains))
                raise
            finally:
                self._transport.reset()

    def _resend(self, drains: dict[str, OutboxDrain]) -> int:
        count = 0
        for topic, drain in drains.items():
            ids = drain.resend_kept()
            self._sent_again_through[topic] = max([self._sent_again_through.get(topic, 0), *ids])
            count += len(ids)
        return count

    def _report(self, error: BaseException) -> None:
        text = str(error) or type(error).__name__
        if isinstance(error, CryotrailError) and error.hint:
            text = f"{text}; {error.hint}"
        if self.problem != text:
            _log.warning("not sending: %s", text)
        self.problem = text

    def _housekeep(
        self, drains: dict[str, OutboxDrain], session: SendSession, back_off: BackOff
    ) -> None:
        self.tally.turned()
        if session.acknowledged_rows:
            self.problem = None
        if session.new_rows:
            back_off.reset()
        now = time.monotonic()
        if now < self._next_housekeeping:
            return
        self._next_housekeeping = now + _HOUSEKEEPING_S
        self._collect_sockets(session, now)
        if now >= self._next_sync:
            # For processes that appended telemetry and died; who lives syncs its own, and a sync
            # between two of those would only make two requests of one.
            self._next_sync = now + _SYNC_FOR_OTHERS_S
            self._outboxes.sync()
        before_us = int((time.time() - self._grace_s) * 1e6)
        for drain in drains.values():
            drain.cut(before_us)

    def _collect_sockets(self, session: SendSession, now: float) -> None:
        # kafka-python 3.0.12 leaves the socket of each refused connection in a cycle of objects. A
        # process with little else to do may not collect it for hours, and an outage may last them.
        acknowledged, since = self._unanswered
        if session.acknowledged_rows != acknowledged or not session.in_flight_rows:
            self._unanswered = (session.acknowledged_rows, now)
        elif now - since > _COLLECT_S:
            self._unanswered = (acknowledged, now)
            gc.collect()
