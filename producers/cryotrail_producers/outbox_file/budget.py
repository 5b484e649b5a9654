"""How much may wait in one file of an outbox, and how near to that it is.

Two bounds, each of what waits for Kafka: its bytes, and the age of the oldest of it. From 80 % of
either on it is time to do something; at either no ordinary event is taken any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WARNING_SHARE: Final = 0.8
"""From here on a bound is warned of."""

ROW_BYTES: Final = 256
"""What an event counts beside its value: its other columns and its places in the indexes."""

RESERVED_TYPES: Final = frozenset(
    {"TelemetryGapReported", "ProcedureEnded", "ProcedureSealed", "OutboxLossReported"}
)
"""What says that something is over or missing: it may use the reserve, and is never too late."""

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What may wait in one file; None = no bound."""

    limit_bytes: int | None = 2**30
    """Bytes of the waiting events, :data:`ROW_BYTES` added for each: about what they take on disk."""
    limit_age_s: float | None = 30 * _DAY_S
    """Age of the oldest waiting event, by this machine's clock, since it was accepted."""
    reserve_bytes: int = 0
    """Beyond ``limit_bytes``, for :data:`RESERVED_TYPES` alone."""

    def share(self, waiting_bytes: int, age_s: float | None) -> float | None:
        """The greater share of the two bounds that is used, 1 = all; None without any bound."""
        shares = []
        if self.limit_bytes is not None:
            shares.append(waiting_bytes / self.limit_bytes)
        if self.limit_age_s is not None:
            shares.append((age_s or 0.0) / self.limit_age_s)
        return max(shares, default=None)

    def warnings(self, waiting_bytes: int, age_s: float | None) -> tuple[str, ...]:
        """A sentence for each bound that is near or reached."""
        found = []
        if self.limit_bytes is not None and waiting_bytes >= WARNING_SHARE * self.limit_bytes:
            share = waiting_bytes / self.limit_bytes
            found.append(f"{share:.0%} of its bound of {size_text(self.limit_bytes)} wait")
        if self.limit_age_s is not None and (age_s or 0.0) >= WARNING_SHARE * self.limit_age_s:
            found.append(
                f"the oldest event has waited {span_text(age_s or 0.0)},"
                f" and {span_text(self.limit_age_s)} is the bound"
            )
        return tuple(found)


UNBOUNDED: Final = Budget(limit_bytes=None, limit_age_s=None)


def size_text(size_bytes: float) -> str:
    """A size for a person, such as ``12.5 MiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.4g} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.4g} GiB"


def span_text(span_s: float) -> str:
    """A span of time for a person, such as ``3.5 days``."""
    for unit, unit_s in (("days", _DAY_S), ("h", 3600.0), ("min", 60.0)):
        if span_s >= 2 * unit_s:
            return f"{span_s / unit_s:.3g} {unit}"
    return f"{span_s:.3g} s"
