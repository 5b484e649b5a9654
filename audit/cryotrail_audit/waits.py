"""How long the store waits for others; apart from the drivers, for whoever only judges by it."""

from __future__ import annotations

from typing import Final

LOCK_WAIT_S: Final = 30
"""How long an append waits for another writer."""

CONNECT_WAIT_S: Final = 10
"""How long a server may take to answer at all."""
