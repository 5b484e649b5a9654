"""What a signer does, counted: how often it hashed the log and found it to be the one it knew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryotrail.observability.health import Heartbeat
from cryotrail_audit.checkpoints.errors import CheckpointError


class SignerWatch:
    """Watches the steps of one signer. Its numbers may be read from any thread."""

    def __init__(self) -> None:
        self.heartbeat = Heartbeat()
        self.failures = 0
        """Times that the log was not what it should be, and was not signed."""
        self.verified_s: float | None = None
        """When new entries were last hashed and found to extend what was signed; since 1970."""
        self.problem: str | None = None
        """Why the last step failed; None = it did not, or there is nothing left to sign."""

    def signed(self) -> None:
        """New entries were hashed, found to extend what was signed, and signed."""
        self.verified_s = time.time()

    def is_due(self, asked: Callable[[bool], bool]) -> Callable[[bool], bool]:
        """What says whether a step is due, watched."""

        def watching(waited: bool) -> bool:
            with self._counted():
                due = asked(waited)
            if waited and not due:
                self.problem = None  # the log ends with what was signed
            return due

        return watching

    def step(self, taken: Callable[[], None]) -> Callable[[], None]:
        """A step, watched. It may sign nothing, and only keep outside what was signed."""

        def watching() -> None:
            with self._counted():
                taken()
            self.problem = None

        return watching

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except CheckpointError as error:
            self.failures += 1
            self.problem = str(error)
            raise
