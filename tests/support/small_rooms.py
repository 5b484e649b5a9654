"""Publishers whose outbox has little room, and a cable that is out until a test puts it back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from room_events import SOURCE, chunk, entry, freeze

from cryotrail_producers.outbox.lights import OnStatus
from cryotrail_producers.outbox_file.budget import ROW_BYTES, UNBOUNDED, Budget
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings, SenderSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.events import Channel, Event


def counted_bytes(event: Event) -> int:
    """What an event counts against the bound."""
    return len(entry(event).value) + ROW_BYTES


EVENT_BYTES = counted_bytes(freeze(UUID(int=1)))
CHUNK_BYTES = counted_bytes(chunk(UUID(int=1)))


def unplugged() -> MemoryTransport:
    transport = MemoryTransport()
    transport.outage = "the cable is out"
    return transport


def small_room(
    path: Path,
    transport: MemoryTransport,
    *,
    clinical: Budget = UNBOUNDED,
    telemetry: Budget = UNBOUNDED,
    sheddable: Iterable[Channel] = (),
    gap_report_s: float = 3600.0,
    on_status: OnStatus | None = None,
) -> Publisher:
    settings = PublisherSettings(
        outbox_path=path,
        source=SOURCE,
        clinical_budget=clinical,
        telemetry_budget=telemetry,
        sheddable_channels=frozenset(sheddable),
        gap_report_s=gap_report_s,
        telemetry_sync_s=0.05,
        status_interval_s=0.02,
        sender=SenderSettings(back_off_min_s=0.01, back_off_max_s=0.05),
    )
    return Publisher(settings, transport, on_status=on_status)
