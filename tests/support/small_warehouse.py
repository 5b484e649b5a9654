"""A warehouse over a real audit store, for events written by hand."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from recorded_events import EventRecorder

from cryotrail_audit.store import open_store
from cryotrail_schemas.events import Event
from cryotrail_warehouse.refresh import RefreshOutcome, rebuild, refresh


class SmallWarehouse:
    """Store, recorder and folder of one test; to be used as a context manager."""

    def __init__(self, store_url: str, folder: Path, site_tz: str = "UTC") -> None:
        self.store = open_store(store_url)
        self.recorder = EventRecorder(self.store)
        self.folder = folder
        self.site_tz = site_tz

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()

    def publish(self, *events: Event) -> Path:
        """Record the events, refresh, and give the publication that followed."""
        if events:
            self.recorder.record(*events)
        return self.refresh().path

    def refresh(self) -> RefreshOutcome:
        """Refresh once."""
        return refresh(self.store, self.folder, self.site_tz)

    def rebuild(self, folder: Path | None = None) -> RefreshOutcome:
        """Build from the first entry on, here or in another folder."""
        return rebuild(self.store, folder or self.folder, self.site_tz)
