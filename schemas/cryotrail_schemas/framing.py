"""The frame around an Avro body in a Kafka value: which schema wrote it.

- Avro single object: ``C3 01``, the 8-byte little-endian CRC-64-AVRO of the schema, the body.
- Confluent: ``00``, the 4-byte big-endian id that a schema registry gave, the body.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from cryotrail_schemas.catalog import EventType
from cryotrail_schemas.errors import UndecodableRecord

_SINGLE_OBJECT: Final = b"\xc3\x01"
_SINGLE_OBJECT_HEAD: Final = 10
_CONFLUENT: Final = 0x00
_CONFLUENT_HEAD: Final = 5


class Frame(NamedTuple):
    """A Kafka value taken apart. Exactly one of ``fingerprint`` and ``schema_id`` is set."""

    kind: Literal["single_object", "confluent"]
    fingerprint: bytes | None
    schema_id: int | None
    body: bytes


def frame_single_object(event_type: EventType, body: bytes) -> bytes:
    """The Kafka value in Avro single-object framing."""
    return _SINGLE_OBJECT + event_type.fingerprint + body


def frame_confluent(schema_id: int, body: bytes) -> bytes:
    """The Kafka value in Confluent framing, with the id that the registry gave to the schema."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body


def parse_frame(value: bytes | None) -> Frame:
    """Take a Kafka value apart.

    :raises UndecodableRecord: ``empty_value`` (also for null), ``unknown_framing``, or
        ``truncated`` within the frame's head.
    """
    if not value:
        raise UndecodableRecord("empty_value", "the record has no value")
    if value[:2] == _SINGLE_OBJECT:
        if len(value) < _SINGLE_OBJECT_HEAD:
            raise UndecodableRecord("truncated", f"{len(value)} bytes end within the fingerprint")
        return Frame("single_object", value[2:10], None, value[10:])
    if value[0] == _CONFLUENT:
        if len(value) < _CONFLUENT_HEAD:
            raise UndecodableRecord("truncated", f"{len(value)} bytes end within the schema id")
        return Frame("confluent", None, int.from_bytes(value[1:5], "big"), value[5:])
    raise UndecodableRecord("unknown_framing", f"the value begins with {value[:2].hex(' ')}")
