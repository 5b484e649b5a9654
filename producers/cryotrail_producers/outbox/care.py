"""What an open outbox needs beside appending and sending: syncs, reports of gaps, and its lights.

One thread of the publisher does it, so that a sender that waits for a network holds up none of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event

from cryotrail_producers.outbox.pair import OutboxPair
from cryotrail_producers.outbox.status import OutboxStatus, together
from cryotrail_producers.outbox_file.budget import WARNING_SHARE
from cryotrail_producers.settings import PublisherSettings
from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)

OnStatus = Callable[[OutboxStatus], object]
"""What a publisher tells its status to, both files together."""

_ARMED_AGAIN_SHARE = 0.7


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
        self._outboxes = outboxes
        self._settings = settings
        self._sending_problem = sending_problem
        self._on_status = on_status
        self._told: OutboxStatus | None = None
        self._warned: dict[str, float] = {}
        self._failure: str | None = None

    def run(self, stop: Event) -> None:
        """Look after it until ``stop`` is set; blocks."""
        interval_s = self._settings.telemetry_sync_s
        if self._on_status is not None:
            interval_s = min(interval_s, self._settings.status_interval_s)
        sync_at = time.monotonic() + self._settings.telemetry_sync_s
        while not stop.wait(interval_s):
            if time.monotonic() >= sync_at:
                sync_at = time.monotonic() + self._settings.telemetry_sync_s
                # What is not synced is not sent either, so it stays visible as waiting.
                self._try(self._outboxes.sync)
                self._try(lambda: self._outboxes.report_gaps(self._settings.gap_report_s))
                self._try(self._outboxes.report_losses)
            self._try(self._look)
        self._try(self._outboxes.gaps.report_all)
        self._try(self._outboxes.report_losses)
        self._try(self._look)

    def _try(self, task: Callable[[], object]) -> None:
        try:
            task()
        except CryotrailError as error:
            if str(error) != self._failure:
                _log.error("%s", error)
            self._failure = str(error)
        except Exception:  # noqa: BLE001 - no fault of ours may end the syncs of a room
            _log.exception("looking after the outbox failed")

    def _look(self) -> None:
        statuses = self._outboxes.statuses()
        for name, status in statuses.items():
            self._warn(name, status)
        if self._on_status is not None:
            status = together(statuses.values())
            status = replace(status, problem=self._sending_problem() or status.problem)
            if self._told is None or _lights(status) != _lights(self._told):
                self._told = status
                self._tell(self._on_status, status)

    def _warn(self, name: str, status: OutboxStatus) -> None:
        """Log each crossing of 80 % and of the bound once."""
        share, warned = status.share or 0.0, self._warned.get(name, 0.0)
        level = _level(share)
        if level > warned:
            self._warned[name] = level
            said = "; ".join(status.warnings)
            if level < 1:
                _log.warning("the %s outbox fills up: %s", name, said)
            else:
                _log.error("the %s outbox is at its bound: %s", name, said)
        elif warned and share < _ARMED_AGAIN_SHARE:
            self._warned[name] = 0.0
            _log.info("the %s outbox has room again: %.0f %% are used", name, share * 100)

    def _tell(self, on_status: OnStatus, status: OutboxStatus) -> None:
        try:
            on_status(status)
        except Exception:  # noqa: BLE001 - it is not ours, and may raise anything
            _log.exception("on_status failed; publishing goes on")


def _level(share: float | None) -> float:
    """Which line a share has crossed: none, the warning's, the bound."""
    return max((line for line in (WARNING_SHARE, 1.0) if (share or 0.0) >= line), default=0.0)


def _lights(status: OutboxStatus) -> OutboxStatus:
    """What of a status makes it another one: not the time that goes by, nor a share's decimals."""
    return replace(status, oldest_age_s=None, share=_level(status.share), warnings=())
