"""What an entry says, for people: its body decoded by the schema that the log holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryotrail_audit.records import ADMINISTRATIVE, CONFLICT, Entry, StoredSchema
from cryotrail_schemas.catalog import event_type_of
from cryotrail_schemas.codec import decode, decode_plain, parse_frame
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.json_form import event_to_json


def decoded_event(entry: Entry, schemas: Mapping[bytes, StoredSchema]) -> dict[str, Any] | None:
    """The event as JSON, of an administrative entry its payload; None when it cannot be read.

    A type that this installation's catalog does not have is given as its plain Avro fields.

    :param schemas: all schemas of the store.
    """
    if entry.kind == ADMINISTRATIVE:
        payload: dict[str, Any] = json.loads(entry.raw or b"null")
        return payload
    schema = schemas.get(entry.schema_sha256 or b"")
    if entry.kind > CONFLICT or schema is None:
        return None
    event_type = event_type_of(schema.text, schema.version)
    try:
        body = parse_frame(entry.raw).body
        plain = decode_plain(body, event_type)
    except CryotrailError:
        return None
    try:
        return event_to_json(decode(body, event_type))
    except CryotrailError:
        return {"type": event_type.name, **_printable(plain)}


def _printable(value: Any) -> Any:
    """Bytes as hexadecimal text, which JSON can hold."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value


def unframed_headers(framed: bytes | None) -> Iterator[tuple[str, bytes | None]]:
    """Kafka headers in order, from the length-framed bytes of ``kafka_headers``."""
    items: list[bytes | None] = []
    at, framed = 0, framed or b""
    while at < len(framed):
        length = int.from_bytes(framed[at : at + 4], "big", signed=True)
        at += 4
        items.append(None if length < 0 else framed[at : at + length])
        at += max(length, 0)
    for name, value in zip(items[::2], items[1::2], strict=True):
        yield (name or b"").decode(errors="replace"), value
