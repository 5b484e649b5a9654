"""Keeps the processes of a run alive as a service manager does, kills them, and counts."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from faults.kill_points import Death

# Each process is forked from a server that has imported what it needs: 200 starts in minutes.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "cryotrail.commands.record",
        "cryotrail_audit.verification",
        "cryotrail_producers.publisher",
        "fastavro",
        "psycopg",
        "faults.publisher_process",
        "faults.recorder_process",
    ]
)

_LONGEST_LIFE_S = 40.0
"""A process that is to die at a point and does not get there within this time is killed anyway."""


class Supervised:
    """One process that is started again whenever it ends, until it is told to stop."""

    def __init__(
        self,
        name: str,
        start: Callable[[Death | None], tuple[Callable[..., None], Any]],
        work: Path,
        after_kill: Callable[[], None] | None = None,
    ) -> None:
        """``start`` gives the function to run and its argument, for a life with such a death.

        :param work: a file that grows while it works.
        """
        self.name = name
        self.kills = 0
        """How often it was ended by SIGKILL."""
        self.reached: list[str] = []
        """Names of the points at which it died."""
        self.lets_it_lie = False
        """Whether a life that ends is not followed by another for now."""
        self.exits: list[int] = []
        """Exit codes of lives that ended by themselves."""
        self._start = start
        self._work = work
        self._worked_before = 0
        self._after_kill = after_kill
        self._deaths: list[Death] = []
        self._death: Death | None = None
        self._killed_by_us = False
        self._process: ForkServerProcess | None = None
        self._began = 0.0

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def works(self) -> bool:
        """Whether it has done anything in this life."""
        return self._worked() > self._worked_before

    @property
    def pid(self) -> int:
        """Of the life in progress."""
        assert self._process is not None and self._process.pid is not None
        return self._process.pid

    @property
    def has_deaths_left(self) -> bool:
        """Whether there are points at which it has yet to die."""
        return bool(self._deaths) or self._death is not None

    def begin(self, deaths: Sequence[Death] = ()) -> None:
        """Start, to die at each of these points, one life after another."""
        self._deaths = list(deaths)
        self._live()

    def tend(self) -> None:
        """Start it again if it has ended, and end a life that misses its death."""
        process = self._process
        if process is None:
            return  # it lies until it is begun again
        if process.is_alive():
            if self._death is not None and time.monotonic() - self._began > _LONGEST_LIFE_S:
                self.kill()
            return
        self._bury()
        if not self.lets_it_lie:
            self._live()

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        if self._process.is_alive():
            self._killed_by_us = True
            self._process.kill()
            self._process.join(30)

    def signal(self, number: int) -> None:
        """Any other signal, to a process that lives."""
        os.kill(self.pid, number)

    def live_on(self) -> None:
        """No more deaths at points, and a life if it has none."""
        self._deaths = []
        if self._death is not None and self.is_alive:
            self.kill()
        if self.is_alive:
            self.signal(signal.SIGCONT)
        self.tend()
        if self._process is None:
            self._live()

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self.is_alive:
            self.signal(signal.SIGTERM)

    def end(self, timeout_s: float) -> int | None:
        """Wait for its end, after which it is not started again; its exit code.

        None when it had to be killed.
        """
        process = self._process
        if process is None:
            return 0
        process.join(timeout_s)
        ended = not process.is_alive()
        if not ended:
            process.kill()
            process.join(30)
        code = process.exitcode
        process.close()
        self._process = None
        return code if ended else None

    def bury(self) -> None:
        """Kill it and let it lie: it is not started again before :meth:`begin`."""
        self.kill()
        self._bury()

    def _live(self) -> None:
        self._death = self._deaths.pop(0) if self._deaths else None
        target, task = self._start(self._death)
        self._process = _CONTEXT.Process(target=target, args=(task,), name=self.name, daemon=True)
        self._killed_by_us = False
        self._worked_before = self._worked()
        self._process.start()
        self._began = time.monotonic()

    def _worked(self) -> int:
        return self._work.stat().st_size if self._work.exists() else 0

    def _bury(self) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.join(30)
        code = process.exitcode
        process.close()
        if code == -signal.SIGKILL:
            self.kills += 1
            if self._after_kill is not None:
                self._after_kill()
            if self._death is not None and not self._killed_by_us:
                self.reached.append(self._death.point.name)
        elif code is not None:
            self.exits.append(code)
        self._death = None
