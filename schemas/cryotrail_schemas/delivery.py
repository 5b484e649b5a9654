"""How an event was delivered: the Kafka headers that stand beside its body.

CloudEvents 1.0, Kafka binary mode, plus three delivery numbers of the outbox and, for events that
are signed singly, a key id and a signature. The body says what happened and has the same bytes
however often it is delivered; these say which outbox sent it and in which place of which row.
Nothing is sent twice that the body or the key says: there is no ``ce_subject`` (the key) and no
``ce_dataschema`` (the framing).
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_schemas.trace_context import trace_id_of

CE_SPECVERSION: Final = "ce_specversion"
CE_ID: Final = "ce_id"
CE_SOURCE: Final = "ce_source"
CE_TYPE: Final = "ce_type"
CE_TIME: Final = "ce_time"
CE_PRODUCER_ID: Final = "ce_producerid"
CE_PRODUCER_SEQ: Final = "ce_producerseq"
CE_PROCEDURE_SEQ: Final = "ce_procedureseq"
CE_SIGNING_KEY_ID: Final = "ce_signingkeyid"
CE_SIGNATURE: Final = "ce_signature"
CONTENT_TYPE: Final = "content-type"
TRACEPARENT: Final = "traceparent"

TYPE_PREFIX: Final = "cryotrail.events."
"""``ce_type`` is this and the name of the event type."""

_GREATEST_SEQ: Final = (1 << 63) - 1


class Delivery(NamedTuple):
    """What the headers of one record say; null where they say nothing or nothing readable."""

    producer_id: str | None
    """Which outbox numbered the event."""
    producer_seq: int | None
    """Its place among all events of that outbox, from 1, without gaps."""
    procedure_seq: int | None
    """Its place among that outbox's events of the procedure on this topic, from 1."""
    signing_key_id: bytes | None
    signature: bytes | None
    flags: tuple[str, ...]
    """``malformed_<field>`` for each header that is there and cannot be read."""
    event_id: str | None
    """``ce_id`` as text; the body's event_id is the one that counts."""
    event_type: str | None
    """``ce_type`` without its prefix, such as ``FreezeStarted``."""
    trace_id: str | None = None
    """Of ``traceparent``: 32 hexadecimal digits."""


def kafka_headers(
    event_type_name: str,
    event_id: UUID,
    source: str,
    occurred_at: datetime,
    producer_id: str | None = None,
    producer_seq: int | None = None,
    procedure_seq: int | None = None,
    *,
    traceparent: str | None = None,
    signing_key_id: bytes | None = None,
    signature: bytes | None = None,
) -> list[tuple[str, bytes]]:
    """The headers of one event, in the order in which they are sent.

    :param source: URI reference of what the event comes from, such as ``urn:cryotrail:room-2``.
    :param occurred_at: aware; sent in UTC as RFC 3339.
    :param traceparent: W3C Trace Context of the publishing span, if there is one.
    """
    moment = occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    headers = [
        (CE_SPECVERSION, b"1.0"),
        (CE_ID, str(event_id).encode()),
        (CE_SOURCE, source.encode()),
        (CE_TYPE, (TYPE_PREFIX + event_type_name).encode()),
        (CE_TIME, moment.encode()),
        (CONTENT_TYPE, b"application/avro"),
    ]
    if traceparent is not None:
        headers.append((TRACEPARENT, traceparent.encode()))
    if producer_id is not None:
        headers.append((CE_PRODUCER_ID, producer_id.encode()))
    if producer_seq is not None:
        headers.append((CE_PRODUCER_SEQ, b"%d" % producer_seq))
    if procedure_seq is not None:
        headers.append((CE_PROCEDURE_SEQ, b"%d" % procedure_seq))
    if signing_key_id is not None:
        headers.append((CE_SIGNING_KEY_ID, b64encode(signing_key_id)))
    if signature is not None:
        headers.append((CE_SIGNATURE, b64encode(signature)))
    return headers


def read_delivery(headers: Iterable[tuple[str, bytes | None]]) -> Delivery:
    """Read what stands beside a body; never refuses, since headers are no evidence of the event.

    A header that is absent or null gives null; one that cannot be read gives null and a flag.
    Of a header that is repeated the last one counts.
    """
    given = dict(headers)
    flags: list[str] = []
    return Delivery(
        producer_id=_text(given.get(CE_PRODUCER_ID), "producer_id", flags),
        producer_seq=_number(given.get(CE_PRODUCER_SEQ), "producer_seq", flags),
        procedure_seq=_number(given.get(CE_PROCEDURE_SEQ), "procedure_seq", flags),
        signing_key_id=_base64(given.get(CE_SIGNING_KEY_ID), "signing_key_id", flags),
        signature=_base64(given.get(CE_SIGNATURE), "signature", flags),
        event_id=_text(given.get(CE_ID), "event_id", flags),
        event_type=_type_name(given.get(CE_TYPE), flags),
        trace_id=_trace_id(given.get(TRACEPARENT), flags),
        # Last, since the readers above add to it.
        flags=tuple(flags),
    )


def _text(value: bytes | None, field: str, flags: list[str]) -> str | None:
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or "\0" in text:
        flags.append(f"malformed_{field}")
        return None
    return text


def _number(value: bytes | None, field: str, flags: list[str]) -> int | None:
    if value is None:
        return None
    # Twenty digits are more than 64 bits hold; int() would take signs, spaces and underscores.
    if value.isdigit() and len(value) < 20 and 1 <= (number := int(value)) <= _GREATEST_SEQ:
        return number
    flags.append(f"malformed_{field}")
    return None


def _base64(value: bytes | None, field: str, flags: list[str]) -> bytes | None:
    if value is None:
        return None
    try:
        return b64decode(value, validate=True)
    except binascii.Error:
        flags.append(f"malformed_{field}")
        return None


def _trace_id(value: bytes | None, flags: list[str]) -> str | None:
    if value is None:
        return None
    found = trace_id_of(value.decode("ascii", "replace"))
    if found is None:
        flags.append("malformed_traceparent")
    return found


def _type_name(value: bytes | None, flags: list[str]) -> str | None:
    text = _text(value, "event_type", flags)
    return None if text is None else text.removeprefix(TYPE_PREFIX)
