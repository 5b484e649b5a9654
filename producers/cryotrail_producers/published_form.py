"""What an event becomes on its way out: the form that a seal counts and hashes."""

from __future__ import annotations

from collections.abc import Callable

from cryotrail_schemas.events import Event

AsPublished = Callable[[Event], Event]
"""As :meth:`~cryotrail_producers.publisher.Publisher.as_published`. A stream that makes a seal of
its own applies it to each event before it makes the seal."""


def as_it_is(event: Event) -> Event:
    """Without encryption an event is published as it was made."""
    return event
