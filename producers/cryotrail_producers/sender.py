"""The one sender of an outbox pair: from the files to Kafka, whatever happens to either."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, closing
from queue import SimpleQueue
from threading import Event

from cryotrail_producers.back_off import BackOff
from cryotrail_producers.errors import DeliveryFailed, RecordRefused
from cryotrail_producers.file_lock import FileLock
from cryotrail_producers.outbox_drain import OutboxDrain
from cryotrail_producers.outbox_pair import OutboxPair
from cryotrail_producers.refusals import Refusals
from cryotrail_producers.send_session import Arrivals, SendSession
from cryotrail_producers.settings import SenderSettings
from cryotrail_producers.transport import Transport
from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

_TRY_LOCK_S = 0.2
_HOUSEKEEPING_S = 1.0


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
        """Why nothing is sent just now; None when nothing stands in the way."""
        self._outboxes = outboxes
        self._transport = transport
        self._settings = settings
        self._grace_s = grace_s
        self._arrivals: Arrivals = SimpleQueue()
        self._next_housekeeping = 0.0
        self._sent_again_through: dict[str, int] = {}

    def wake(self) -> None:
        """There is something new in the outbox; from any thread."""
        if self._arrivals.empty():
            self._arrivals.put(None)

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set; blocks."""
        with closing(FileLock(self._outboxes.sender_lock_path)) as lock:
            while not stop.is_set():
                if lock.try_exclusive():
                    self._run_sessions(stop)
                else:
                    self.problem = "another process sends from this outbox"
                    stop.wait(_TRY_LOCK_S)

    def _run_sessions(self, stop: Event) -> None:
        self.problem = None
        back_off = BackOff(self._settings.back_off_min_s, self._settings.back_off_max_s)
        refusals = Refusals(self._settings.back_off_min_s, self._settings.back_off_max_s)
        while not stop.is_set():
            try:
                self._run_session(back_off, refusals, stop)
            except RecordRefused:
                self.problem = None
                continue
            except CryotrailError as error:
                self._report(error)
            except Exception as error:  # noqa: BLE001 - no fault of ours may end a room's sending
                _log.exception("the sender failed")
                self._report(error)
            else:
                return
            stop.wait(back_off.next_s())

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
            )
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

    def _report(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if self.problem != text:
            _log.warning("not sending: %s", text)
        self.problem = text

    def _housekeep(
        self, drains: dict[str, OutboxDrain], session: SendSession, back_off: BackOff
    ) -> None:
        if session.acknowledged_rows:
            self.problem = None
        if session.new_rows:
            back_off.reset()
        now = time.monotonic()
        if now < self._next_housekeeping:
            return
        self._next_housekeeping = now + _HOUSEKEEPING_S
        # Also for processes that appended telemetry and died before they synced it.
        self._outboxes.sync()
        before_us = int((time.time() - self._grace_s) * 1e6)
        for drain in drains.values():
            drain.cut(before_us)
