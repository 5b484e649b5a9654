"""What an outbox holds, told to those who watch it: the log near a bound, and ``on_status``.

A thread of its own does it: what ``on_status`` does may take long, and holds up nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from threading import Event

from cryotrail_producers.outbox.pair import OutboxPair
from cryotrail_producers.outbox.repeated import Repeated
from cryotrail_producers.outbox.status import OutboxStatus, together
from cryotrail_producers.outbox_file.budget import WARNING_SHARE

_log = logging.getLogger(__name__)

OnStatus = Callable[[OutboxStatus], object]
"""What a publisher tells its status to, both files together."""

_ARMED_AGAIN_SHARE = 0.7


class OutboxLights:
    """Follows the status of the outbox pair of one publisher until it is told to stop."""

    def __init__(
        self,
        outboxes: OutboxPair,
        interval_s: float,
        sending_problem: Callable[[], str | None],
        on_status: OnStatus | None,
    ) -> None:
        """``sending_problem``: why nothing is sent just now."""
        self._outboxes = outboxes
        self._interval_s = interval_s
        self._sending_problem = sending_problem
        self._on_status = on_status
        self._told: OutboxStatus | None = None
        self._warned: dict[str, float] = {}

    def run(self, stop: Event) -> None:
        """Look every ``interval_s`` until ``stop`` is set, and then once more; blocks."""
        look = Repeated(self._look)
        while not stop.wait(self._interval_s):
            look()
        look()

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
