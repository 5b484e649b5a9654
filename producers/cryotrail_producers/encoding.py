"""From an event to what the outbox keeps: validated, encoded, framed, and small enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryotrail_producers.delivery_numbers import OutboxEntry
from cryotrail_producers.errors import EventTooLarge
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode, frame_single_object
from cryotrail_schemas.events import Event
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES, topic_of

SOURCE_LIMIT_BYTES = 256

_ENVELOPE_BYTES = 2048
"""Room in a record for its key, its headers (the source among them) and Kafka's own framing."""

VALUE_LIMIT_BYTES = MAX_MESSAGE_BYTES - _ENVELOPE_BYTES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def outbox_entry(event: Event, source: str) -> OutboxEntry:
    """Encode an event for the outbox.

    :raises EventRefused: it breaks the contract; all problems at once.
    :raises EventTooLarge: one record cannot hold it.
    """
    value = frame_single_object(catalog().current(event.TYPE), encode(event))
    if len(value) > VALUE_LIMIT_BYTES:
        raise EventTooLarge(event.TYPE, len(value), VALUE_LIMIT_BYTES)
    header = event.header
    return OutboxEntry(
        event_id=header.event_id,
        event_type=event.TYPE,
        procedure_id=header.procedure_id,
        occurred_us=(header.occurred_at - _EPOCH) // _MICROSECOND,
        topic=topic_of(event.TYPE),
        source=source,
        value=value,
    )
