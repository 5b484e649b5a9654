"""Events to Avro bytes and back: strict when writing, cheap when reading.

The frame around a body is ``framing``'s; its functions are offered here too, since whoever reads
or writes a Kafka value needs both.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from math import isnan
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from cryotrail_schemas.catalog import EventType, catalog, event_type_of
from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.datum.form import ValueRefused
from cryotrail_schemas.errors import EventRefused, SchemaError, UndecodableRecord
from cryotrail_schemas.events import Event
from cryotrail_schemas.framing import Frame, frame_confluent, frame_single_object, parse_frame
from cryotrail_schemas.plain_checks import check_plain

__all__ = [
    "Frame",
    "check",
    "check_plain",
    "decode",
    "decode_plain",
    "encode",
    "frame_confluent",
    "frame_single_object",
    "parse_frame",
    "same_content",
]


def encode(event: Event) -> bytes:
    """The Avro body of an event, under the current version of its type.

    :raises EventRefused: the event breaks the contract: naive time, NaN or infinity, a wrong
        type, a missing field, a value below its minimum, too many samples, U+0000 in text, a unit
        that is not the analyte's. ``problems`` names all of them.
    """
    plain = _plain(event)
    buffer = BytesIO()
    # The form has made exactly the schema's fields; strict refuses if the two ever come apart.
    schemaless_writer(buffer, catalog().current(type(event).TYPE).plain, plain, strict=True)
    return buffer.getvalue()


def check(event: Event) -> None:
    """Refuse what :func:`encode` would refuse, without encoding.

    :raises EventRefused: the event breaks the contract.
    """
    _plain(event)


def _plain(event: Event) -> Any:
    name = type(event).TYPE
    form = record_form(name)
    try:
        return form.to_plain(event)
    except ValueRefused:
        raise EventRefused(name, form.problems(event, "")) from None


def decode_plain(body: bytes, schema: EventType | Any) -> dict[str, Any]:
    """Decode a body without logical conversion: the recorder's hot path.

    :param schema: the event type that wrote it, or its ``plain`` schema.
    :returns: the record as primitives: UUIDs as text, times as integer microseconds, days as
        integer days, decimals as bytes, symbols as text.
    :raises UndecodableRecord: ``truncated``, ``trailing_bytes`` or ``undecodable``.
    """
    plain_schema = schema.plain if isinstance(schema, EventType) else schema
    buffer = BytesIO(body)
    try:
        record: Any = schemaless_reader(buffer, plain_schema, None)
    except Exception as error:
        raise _undecodable(error, plain_schema) from error
    # fastavro stops at the end of the record and says nothing of what follows.
    if buffer.tell() != len(body):
        left = len(body) - buffer.tell()
        raise UndecodableRecord("trailing_bytes", f"{left} bytes follow the record")
    if type(record) is not dict:
        raise UndecodableRecord("undecodable", "the schema is not that of a record")
    return record


def decode(body: bytes, event_type: EventType) -> Event:
    """Decode a body into its event, also one written under an older version of the type.

    A symbol newer than the current class is read as UNKNOWN; the body keeps what was written.

    :raises UndecodableRecord: as :func:`decode_plain`, and ``invalid_value`` for a value that no
        event can hold.
    :raises SchemaError: the catalog has no such type.
    """
    current = catalog().current(event_type.name)
    record = decode_plain(body, event_type)
    if event_type.sha256 != current.sha256:
        record = _resolved(body, event_type, current)
    try:
        event: Event = record_form(event_type.name).from_plain(record)
    except (ValueError, OverflowError) as error:
        raise UndecodableRecord("invalid_value", f"{event_type.name}: {error}") from error
    return event


def same_content(body_a: bytes, text_a: str, body_b: bytes, text_b: str) -> bool:
    """Whether two bodies say the same, each decoded under the schema text that wrote it.

    They do when they are of one type and every field of either is equal; an absent field counts
    as null, so that a newer version's optional field left out changes nothing. Bodies that cannot
    be decoded are the same only when body and text are.
    """
    if body_a == body_b and text_a == text_b:
        return True
    try:
        type_a, type_b = _type_of_text(text_a), _type_of_text(text_b)
        record_a, record_b = decode_plain(body_a, type_a), decode_plain(body_b, type_b)
    except (UndecodableRecord, SchemaError):
        return False
    return type_a.name == type_b.name and _equal(record_a, record_b)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return all(_equal(a.get(name), b.get(name)) for name in a.keys() | b.keys())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    # A number that is no number is still the same one when it is written twice.
    both_are_numbers = isinstance(a, float) and isinstance(b, float)
    return bool(a == b or (both_are_numbers and isnan(a) and isnan(b)))


@lru_cache(maxsize=256)
def _type_of_text(text: str) -> EventType:
    return event_type_of(text)


def _resolved(body: bytes, written: EventType, current: EventType) -> Any:
    try:
        return schemaless_reader(BytesIO(body), written.plain, current.plain)
    except Exception as error:
        message = f"version {written.version} of {written.name} does not resolve to the current one"
        raise SchemaError(f"{message}: {error}") from error


def _undecodable(error: Exception, plain_schema: Any) -> UndecodableRecord:
    name = plain_schema.get("name") if isinstance(plain_schema, dict) else plain_schema
    # At the end of its input fastavro raises EOFError, or trips over the empty bytes it was given;
    # the IndexError of a list is another thing, an index of a union or enum that does not exist.
    ran_out = isinstance(error, IndexError) and "string index" in str(error)
    if ran_out or isinstance(error, EOFError):
        return UndecodableRecord("truncated", f"the body ends within a {name}")
    return UndecodableRecord("undecodable", f"not a {name}: {type(error).__name__}: {error}")
