"""The budgets of the outbox of a home, from its settings."""

from __future__ import annotations

from cryotrail.settings import Settings
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_schemas.events import Channel

_MIB = 2**20
_DAY_S = 86400.0
_RESERVE_BYTES = _MIB


def clinical_budget(settings: Settings) -> Budget:
    """What may wait of the clinical events."""
    return _budget(settings.outbox_limit_mib, settings.outbox_limit_days, _RESERVE_BYTES)


def telemetry_budget(settings: Settings) -> Budget:
    """What may wait of the telemetry."""
    return _budget(settings.outbox_telemetry_limit_mib, settings.outbox_telemetry_limit_days, 0)


def sheddable_channels(settings: Settings) -> frozenset[Channel]:
    """Which telemetry may be shed for want of room."""
    return frozenset(Channel(symbol) for symbol in settings.outbox_sheddable)


def _budget(limit_mib: float, limit_days: float, reserve_bytes: int) -> Budget:
    return Budget(
        limit_bytes=max(1, int(limit_mib * _MIB)) if limit_mib else None,
        limit_age_s=limit_days * _DAY_S if limit_days else None,
        reserve_bytes=reserve_bytes,
    )
