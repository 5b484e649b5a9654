"""Letting records gather while few come, because a transaction costs as much as dozens of them."""

from __future__ import annotations

import time
from typing import Final

GATHER_S: Final = 0.1
"""How long after a transaction with few records those that come wait for each other."""

_FEW_RECORDS: Final = 500


class Gathering:
    """Spaces small transactions out. What comes first after a pause is recorded at once."""

    def __init__(self, gather_s: float = GATHER_S) -> None:
        self._gather_s = gather_s
        self._until = 0.0

    def recorded(self, count: int) -> None:
        """A transaction with so many records was committed."""
        few = count < _FEW_RECORDS
        self._until = time.monotonic() + self._gather_s if few else 0.0

    def wait(self) -> None:
        """Return when the next may be made."""
        time.sleep(max(0.0, self._until - time.monotonic()))
