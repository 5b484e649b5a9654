"""A room whose publishers share one outbox, and what arrives from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from room_events import SOURCE

from cryotrail_producers.outbox.lights import OnStatus
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings, SenderSettings
from cryotrail_producers.transport import OutgoingRecord, Transport
from cryotrail_schemas.delivery import read_delivery


class Room:
    """Opens publishers on one outbox and closes what a test leaves open."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.path = folder / "outbox.sqlite3"
        self._opened = opened

    def publisher(
        self,
        transport: Transport,
        *,
        grace_s: float = 900.0,
        on_status: OnStatus | None = None,
        **sender: float,
    ) -> Publisher:
        quick = {"back_off_min_s": 0.01, "back_off_max_s": 0.05} | sender
        settings = PublisherSettings(
            outbox_path=self.path,
            source=SOURCE,
            grace_s=grace_s,
            telemetry_sync_s=0.1,
            status_interval_s=0.1,
            sender=SenderSettings(**quick),  # type: ignore[arg-type]
        )
        return self._opened.enter_context(Publisher(settings, transport, on_status=on_status))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room in the test's folder."""
    with ExitStack() as opened:
        yield Room(tmp_path, opened)


def seqs(records: list[OutgoingRecord], key: object | None = None) -> list[int | None]:
    wanted = None if key is None else str(key).encode()
    return [
        read_delivery(record.headers).producer_seq
        for record in records
        if wanted in (None, record.key)
    ]
