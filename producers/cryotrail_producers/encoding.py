"""From an event to what the outbox keeps: validated, encoded, framed, and small enough."""

from __future__ import annotations

from collections.abc import Collection

from cryotrail_producers.errors import EventTooLarge
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode, frame_single_object
from cryotrail_schemas.datum.times import microseconds
from cryotrail_schemas.errors import EventRefused, FieldProblem
from cryotrail_schemas.events import Channel, Event, ProbeTelemetryChunk
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES, topic_of
from cryotrail_schemas.trace_context import is_traceparent

SOURCE_LIMIT_BYTES = 256

_ENVELOPE_BYTES = 2048
"""Room in a record for its key, its headers (the source among them) and Kafka's own framing."""

VALUE_LIMIT_BYTES = MAX_MESSAGE_BYTES - _ENVELOPE_BYTES


def outbox_entry(
    event: Event,
    source: str,
    traceparent: str | None = None,
    sheddable_channels: Collection[Channel] = (),
) -> OutboxEntry:
    """Encode an event for the outbox.

    :param sheddable_channels: whose telemetry chunks may be shed for want of room.

    :raises EventRefused: it breaks the contract, all problems at once; or ``traceparent`` is none.
    :raises EventTooLarge: one record cannot hold it.
    """
    if traceparent is not None and not is_traceparent(traceparent):
        reason = "no W3C traceparent of version 00, such as 00-<32 hex>-<16 hex>-01"
        raise EventRefused(event.TYPE, [FieldProblem("traceparent", reason)])
    value = frame_single_object(catalog().current(event.TYPE), encode(event))
    if len(value) > VALUE_LIMIT_BYTES:
        raise EventTooLarge(event.TYPE, len(value), VALUE_LIMIT_BYTES)
    header = event.header
    return OutboxEntry(
        event_id=header.event_id,
        event_type=event.TYPE,
        procedure_id=header.procedure_id,
        occurred_us=microseconds(header.occurred_at),
        topic=topic_of(event.TYPE),
        source=source,
        value=value,
        traceparent=traceparent,
        sheddable=(
            event
            if isinstance(event, ProbeTelemetryChunk) and event.channel in sheddable_channels
            else None
        ),
    )
