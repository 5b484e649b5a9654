"""The readable copy in a bundle: what the bytes of an entry say, as JSON for people.

An event has the form that publishers give it in (:mod:`cryotrail_schemas.json_form`): identities
as text, times in ISO 8601, days as dates, decimals as numbers, bytes in hexadecimal, null left
out. It is read by the schema that wrote it and never resolved to a newer one. The bundle's own
verifier computes every line again by another Avro reader and compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from math import isfinite
from typing import Any, Final
from uuid import UUID

import fastavro

from cryotrail_audit.bundle.encoding import json_text
from cryotrail_audit.records import CONFLICT, KINDS, Entry, StoredSchema
from cryotrail_schemas.delivery import TYPE_PREFIX
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.framing import parse_frame

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KNOWN_LOGICAL_TYPES: Final = ("uuid", "timestamp-micros", "date", "decimal")
"""Those that events use; another one, of a stranger's schema, is shown as the number it is."""


def readable_line(entry: Entry, schemas: Mapping[bytes, StoredSchema]) -> str:
    """The line of the readable copy for one entry of a procedure."""
    return json_text(
        {
            "entry": entry.procedure_entry_no,
            "kind": KINDS[entry.kind],
            "recorded_at": _time(_EPOCH + timedelta(microseconds=entry.recorded_us)),
            "reason": entry.reason,
            "event": None if entry.kind > CONFLICT else readable_event(entry, schemas),
        }
    )


def readable_event(entry: Entry, schemas: Mapping[bytes, StoredSchema]) -> dict[str, Any] | None:
    """An event as JSON; None when its bytes are no body of its schema."""
    schema = _parsed(schemas[entry.schema_sha256 or b""].text)
    try:
        return readable_body(parse_frame(entry.raw).body, schema)
    except CryotrailError:
        return None


def readable_body(body: bytes, schema: Any) -> dict[str, Any] | None:
    """A body as JSON; None when it is none of this schema, as :func:`parsed_schema` gave it."""
    buffer = BytesIO(body)
    try:
        record: Any = fastavro.schemaless_reader(buffer, schema, None)
        said = _said(record)
    except Exception:  # noqa: BLE001 - whatever bytes that are no body make the reader raise
        return None
    if buffer.tell() != len(body):
        return None
    return {"type": str(schema["name"]).removeprefix(TYPE_PREFIX), **said}


def parsed_schema(text: str) -> Any:
    """A schema's text, parsed with the logical types that the readable copy spells out."""
    return fastavro.parse_schema(_known(json.loads(text)))


_parsed = lru_cache(maxsize=256)(parsed_schema)


def _known(node: Any) -> Any:
    if isinstance(node, list):
        return [_known(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _known(value) if key in ("type", "items", "values", "fields") else value
        for key, value in node.items()
        if key != "logicalType" or value in _KNOWN_LOGICAL_TYPES
    }


def _said(value: Any) -> Any:
    match value:
        case dict():
            return {name: _said(item) for name, item in value.items() if item is not None}
        case list():
            return [_said(item) for item in value]
        case bytes():
            return value.hex()
        case datetime():
            return _time(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Decimal():
            return float(value)
        case float() if not isfinite(value):
            return str(value)
    return value


def _time(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
