"""Whether a process is alive, and whether it is ready: two questions with two remedies.

Not alive = its loop does not turn, and a restart is the remedy. Not ready = something that it needs
is away; it waits for that by itself, and a restart would gain nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Final

from cryotrail_audit.waits import LOCK_WAIT_S

STUCK_AFTER_S: Final = 2.0 * LOCK_WAIT_S
"""A loop that has not turned for so long is taken to be stuck.

One turn may wait for the append lock, and an orchestrator's restart would only wait once more.
"""

_FRESH_S: Final = 1.0
"""How long an answer about what is needed is good: whoever asks more often asks nobody else."""

_ANSWERS_WITHIN_S: Final = 5.0
"""Whoever has not answered by then is said not to: an orchestrator does not wait much longer."""

Age = Callable[[], float | None]
"""Seconds since a loop last turned; None = it has not begun."""

Check = Callable[[], str | None]
"""Why the process cannot do its work just now; None = this does not keep it from it."""


class Health:
    """The answers to ``/healthz`` and ``/readyz`` of one process. Asked from any thread."""

    def __init__(self, loops: Mapping[str, Age], checks: Mapping[str, Check]) -> None:
        """Put together what is asked.

        :param loops: what must turn, by name.
        :param checks: what must not object, by name; each ends some time, and none raises.
        """
        self._loops = loops
        self._checks = checks
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._asked: dict[str, Future[str | None]] = {}
        self._missing: dict[str, str] = {}

    def stuck(self) -> dict[str, str]:
        """The loops that do not turn, and since when; empty = the process is alive."""
        found = {}
        for name, age in self._loops.items():
            age_s = age()
            if age_s is None:
                age_s = time.monotonic() - self._began
            if age_s > STUCK_AFTER_S:
                found[name] = f"has not turned for {age_s:.0f} s"
        return found

    def missing(self) -> dict[str, str]:
        """What keeps the process from its work; empty = it is ready."""
        with self._lock:
            if time.monotonic() - self._asked_at > _FRESH_S:
                answers = self._answers()
                self._missing = {name: why for name, why in answers.items() if why is not None}
                self._asked_at = time.monotonic()
            return dict(self._missing) | self.stuck()

    def _answers(self) -> dict[str, str | None]:
        """What each check says, all asked at once; who is still silent is not asked anew."""
        for name, check in self._checks.items():
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = _ask(name, check)
        wait(self._asked.values(), _ANSWERS_WITHIN_S)
        silent = f"no answer within {_ANSWERS_WITHIN_S:g} s"
        return {
            name: answer.result() if answer.done() else silent
            for name, answer in self._asked.items()
        }


class Heartbeat:
    """The turns of one loop, for loops that are run here and not in a library."""

    def __init__(self) -> None:
        self._at: float | None = None

    def beat(self) -> None:
        """The loop turned."""
        self._at = time.monotonic()

    def age_s(self) -> float | None:
        """Seconds since it last turned; None = it has not begun."""
        return None if self._at is None else time.monotonic() - self._at


def _ask(name: str, check: Check) -> Future[str | None]:
    """The answer to come, from a thread that keeps no process from its end."""
    answer: Future[str | None] = Future()
    thread = threading.Thread(
        target=lambda: answer.set_result(check()), name=f"ready-{name}", daemon=True
    )
    thread.start()
    return answer
