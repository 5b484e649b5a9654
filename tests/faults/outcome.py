"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from faults.accounting import Account
from faults.journal import Latency


@dataclass
class Outcome:
    """The account of a run, and what its processes and ``publish`` went through."""

    account: Account
    kills: int
    points: dict[str, int]
    """How often a process died at each named point."""
    latencies: list[Latency]
    """Of ``publish`` while the fault lasted."""
    seconds: float
    violations: list[str] = field(default_factory=list)
    """Empty = the promise was kept."""
