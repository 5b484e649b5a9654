"""How far the clocks of the systems that publish are off, as their events say it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryotrail_audit.records import IncomingRecord
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.errors import UndecodableRecord
from cryotrail_schemas.framing import parse_frame

_MOST_A_SECOND: Final = 50
"""Events whose body is read once more for this: every one of a quiet site, a sample of a flood."""


class ClockOffsets:
    """The newest ``clock_offset_ms`` of each system."""

    def __init__(self, label: Callable[[IncomingRecord], str]) -> None:
        """``label`` names the system that published a record."""
        self.seconds: Mapping[str, float] = {}
        """By system: its clock minus the reference; replaced and never changed."""
        self._label = label
        self._left = 0.0
        self._filled_at = time.monotonic()

    def look_at(self, events: list[IncomingRecord]) -> None:
        """Read some of the events, evenly spread."""
        now = time.monotonic()
        self._left += (now - self._filled_at) * _MOST_A_SECOND
        self._left, self._filled_at = min(self._left, _MOST_A_SECOND), now
        if not events or self._left < 1:
            return
        step = -(-len(events) // int(self._left))
        read = events[::-step][::-1]  # the last among them, since it is the newest
        self._left -= len(read)
        found = {}
        for event in read:
            offset_ms = _offset_ms(event)
            if offset_ms is not None:
                found[self._label(event)] = offset_ms / 1000
        if found:
            self.seconds = {**self.seconds, **found}


def _offset_ms(event: IncomingRecord) -> int | None:
    """What the header says; None also of an event that another catalog wrote."""
    try:
        frame = parse_frame(event.raw)
        if frame.fingerprint is not None:
            schema = catalog().by_fingerprint(frame.fingerprint)
        else:
            schema = next((one for one in catalog() if one.sha256 == event.schema_sha256), None)
        if schema is None:
            return None
        header: Mapping[str, Any] = decode_plain(frame.body, schema)["header"]
    except UndecodableRecord:
        return None
    return header.get("clock_offset_ms")
