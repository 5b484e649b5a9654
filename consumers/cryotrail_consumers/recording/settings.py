"""What can be set of a recorder."""

from __future__ import annotations

from dataclasses import dataclass

from cryotrail_consumers.recording.circuit_breaker import BreakerLimits
from cryotrail_consumers.recording.partition_watch import STUCK_AFTER_S


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """When a recorder holds a partition up, and when it takes one for stuck."""

    breaker: BreakerLimits = BreakerLimits()  # noqa: RUF009  frozen
    quarantine_unknown: bool = False
    """Records with unknown schemas go into quarantine, however many: an operator decided so."""
    stuck_after_s: float = STUCK_AFTER_S
    """How long a partition may stand still, with records to give, before the source is reopened;
    0 = never."""
