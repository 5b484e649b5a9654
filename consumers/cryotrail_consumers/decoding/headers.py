"""The headers of a Kafka record as one byte string, in their order and without loss."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cryotrail_consumers.coordinates import framed
from cryotrail_consumers.reading.kafka_header_names import EscapedName
from cryotrail_schemas.errors import UndecodableRecord

_LENGTHS = [struct.pack(">i", length) for length in range(256)]
_NULL = framed(None)
_MOST_NAMES = 1024

# Names are few and repeat in every record; a producer that makes them up must not fill memory.
_framed_names: dict[str, bytes] = {}


def pack_headers(
    headers: Sequence[tuple[str, bytes | None]], *, any_name: bool = False
) -> bytes | None:
    """Name and value of each header, each a big-endian int4 length (-1 = null) and its bytes.

    A record without headers has none to keep: None.

    :param any_name: also names that are not UTF-8, as the bytes that they are.
    :raises UndecodableRecord: ``undecodable_headers``, unless ``any_name``.
    """
    if not headers:
        return None
    fields = []
    for name, value in headers:
        fields.append(_framed_names.get(name) or _framed_name(name, any_name))
        if value is None:
            fields.append(_NULL)
        elif len(value) < 256:
            fields.append(_LENGTHS[len(value)])
            fields.append(value)
        else:
            fields.append(framed(value))
    return b"".join(fields)


def unpack_headers(packed: bytes | None) -> list[tuple[str, bytes | None]]:
    """The inverse of :func:`pack_headers`, also of names that are not UTF-8."""
    items: list[bytes | None] = []
    at, packed = 0, packed or b""
    while at < len(packed):
        (length,) = struct.unpack_from(">i", packed, at)
        at += 4
        items.append(None if length < 0 else packed[at : at + length])
        at += max(length, 0)
    return [
        (_name(name or b""), value) for name, value in zip(items[::2], items[1::2], strict=True)
    ]


def _name(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return EscapedName(name.decode("utf-8", "surrogateescape"))


def _framed_name(name: str, any_name: bool) -> bytes:
    if isinstance(name, EscapedName):
        if not any_name:
            raise UndecodableRecord("undecodable_headers", "a header's name is not UTF-8")
        return framed(name.encode())  # not remembered, so that it is never taken for a good one
    if len(_framed_names) >= _MOST_NAMES:
        _framed_names.clear()
    _framed_names[name] = framed(name.encode())
    return _framed_names[name]
