"""How what runs until it is told to stop is told."""

from __future__ import annotations

from typing import Protocol


class StopFlag(Protocol):
    """Says whether to stop; :class:`threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether it is time to stop."""
        ...

    def wait(self, timeout: float) -> object:
        """Wait so many seconds, or until it is time to stop."""
        ...
