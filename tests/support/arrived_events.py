"""The events that a memory transport was handed, decoded."""

from __future__ import annotations

from typing import TypeVar

from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode, parse_frame
from cryotrail_schemas.events import Event

SomeEvent = TypeVar("SomeEvent", bound=Event)


def event_of(record: OutgoingRecord) -> Event:
    return decoded(record.value)


def decoded(value: bytes) -> Event:
    frame = parse_frame(value)
    assert frame.fingerprint is not None
    event_type = catalog().by_fingerprint(frame.fingerprint)
    assert event_type is not None
    return decode(frame.body, event_type)


def arrived(transport: MemoryTransport, kind: type[SomeEvent]) -> list[SomeEvent]:
    """Those of one type, in the order in which they arrived."""
    events = [event_of(record) for record in transport.records]
    return [event for event in events if isinstance(event, kind)]
