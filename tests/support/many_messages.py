"""As many distinct messages as a load test wants: the cohort over and over, under other ids."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from uuid import NAMESPACE_OID, uuid5

from recorded_kafka import Message, message_of
from replayed_cohort import events

from cryotrail_schemas.identifiers import new_event_id

# A body begins with event_id and procedure_id, each a length byte and 36 characters; the frame
# before it is 10 bytes long.
_EVENT_ID = slice(11, 47)
_PROCEDURE_ID = slice(48, 84)


def many_messages(wanted: int) -> Iterator[Message]:
    """``wanted`` messages; each pass over the cohort is of other procedures.

    Event ids are UUIDv7 as those of live events: in the order of time, which is kind to indexes.
    """
    return islice(_endless(), wanted)


def _endless() -> Iterator[Message]:
    cohort = [message_of(event, number) for number, event in enumerate(events(), start=1)]
    for turn in count():
        for message in cohort:
            assert message.value is not None
            value = bytearray(message.value)
            event_id = str(new_event_id()).encode()
            key = str(uuid5(NAMESPACE_OID, f"{turn}/{value[_PROCEDURE_ID].decode()}")).encode()
            value[_EVENT_ID], value[_PROCEDURE_ID] = event_id, key
            headers = [(n, event_id if n == "ce_id" else v) for n, v in message.headers]
            yield message._replace(key=key, value=bytes(value), headers=headers)
