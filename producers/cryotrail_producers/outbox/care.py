"""What an open outbox needs beside appending and sending: syncs, and reports of what was lost.

One thread of the publisher does it, so that a sender that waits for a network holds up none of it,
and starts another for the lights, so that whoever watches them does not either.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from cryotrail_producers.outbox.lights import OnStatus, OutboxLights
from cryotrail_producers.outbox.pair import OutboxPair
from cryotrail_producers.outbox.repeated import Repeated
from cryotrail_producers.settings import PublisherSettings


class OutboxCare:
    """Looks after the outbox pair of one publisher until it is told to stop."""

    def __init__(
        self,
        outboxes: OutboxPair,
        settings: PublisherSettings,
        sending_problem: Callable[[], str | None],
        on_status: OnStatus | None,
    ) -> None:
        """``sending_problem``: why nothing is sent just now."""
        self._interval_s = settings.telemetry_sync_s
        self._lights = OutboxLights(
            outboxes, settings.status_interval_s, sending_problem, on_status
        )
        # What is not synced is not sent either, so it stays visible as waiting.
        self._sync = Repeated(outboxes.sync)
        self._report_gaps_in_time = Repeated(
            lambda: outboxes.report_gaps_in_time(settings.gap_report_s)
        )
        self._report_gaps = Repeated(outboxes.report_gaps)
        self._report_losses = Repeated(outboxes.report_losses)

    def run(self, stop: Event) -> None:
        """Look after it until ``stop`` is set; blocks."""
        over = Event()
        lights = Thread(target=self._lights.run, args=(over,), name="outbox-lights", daemon=True)
        lights.start()
        while not stop.wait(self._interval_s):
            self._sync()
            self._report_gaps_in_time()
            self._report_losses()
        self._report_gaps()
        self._report_losses()
        over.set()
        lights.join()
