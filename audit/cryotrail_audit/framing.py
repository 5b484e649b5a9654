"""Framing 1: the bytes of an entry that its leaf binds.

Every column but ``leaf_hash`` in the order of the table, each as a big-endian int4 length (-1 =
null) and its bytes; integers big-endian at the width of their column, text as UTF-8. That is the
field encoding of PostgreSQL's COPY BINARY, so what is hashed is what is sent. The leaf hash is
SHA-256(00 || 01 || these bytes): RFC 6962's leaf prefix, then the version of the framing.

The head (``log_id`` to ``recorded_us``) is known under the lock only, so it stands first and the
rest, the tail, is packed before the lock is taken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.records import IncomingRecord

FRAMING: Final = 1
LEAF_PREFIX: Final = b"\x00\x01"
NULL: Final = b"\xff\xff\xff\xff"
HASH_LENGTH: Final = b"\x00\x00\x00\x20"
"""The length that stands before a SHA-256."""

_SMALL, _INT, _BIG = (struct.Struct(form) for form in (">ih", ">ii", ">iq"))
_LENGTH = struct.Struct(">i")
_HEAD = struct.Struct(">ihihihiiiqiq")
_HEAD_UNNUMBERED = struct.Struct(">ihihihiiqiq")
# Runs of columns that an event from Kafka fills.
_EVENT_ID = struct.Struct(">i16s")
_PROCEDURE = struct.Struct(">i16siq")
_DELIVERY = struct.Struct(">iqiqiiiiihiqiq")
_SCHEMA = struct.Struct(">i32siiiii")

RECORD_COLUMNS: Final = (
    ("event_id", "uuid"),
    ("event_type", "text?"),
    ("procedure_id", "uuid?"),
    ("occurred_us", "bigint?"),
    ("producer_id", "text?"),
    ("producer_seq", "bigint?"),
    ("procedure_seq", "bigint?"),
    ("topic_id", "integer?"),
    ("part", "integer?"),
    ("incarnation", "smallint?"),
    ("kafka_offset", "bigint?"),
    ("kafka_timestamp_ms", "bigint?"),
    ("kafka_key", "bytea?"),
    ("kafka_headers", "bytea?"),
    ("schema_sha256", "bytea?"),
    ("key_id", "bytea?"),
    ("signing_key_id", "bytea?"),
    ("signature", "bytea?"),
    ("reason", "text?"),
    ("source_seq", "bigint?"),
    ("raw", "bytea?"),
    ("content_hash", "hash"),
)
"""Name and type of each column of the tail; ``?`` = may be null."""


def leaf_hash(head: bytes, tail: bytes) -> bytes:
    """The RFC 6962 leaf hash of an entry."""
    return sha256(LEAF_PREFIX + head + tail).digest()


def pack_head(
    log_id: int, kind: int, procedure_entry_no: int | None, seq: int, recorded_us: int
) -> bytes:
    """The columns that are given under the lock, ``framing`` being 1."""
    if procedure_entry_no is None:
        return _HEAD_UNNUMBERED.pack(2, log_id, 2, FRAMING, 2, kind, -1, 8, seq, 8, recorded_us)
    return _HEAD.pack(2, log_id, 2, FRAMING, 2, kind, 4, procedure_entry_no, 8, seq, 8, recorded_us)


def pack_tail(record: IncomingRecord) -> bytes:
    """The columns that come with the record.

    :raises BatchRefused: a value that its column cannot hold; the message names the column.
    """
    fields: Any = record
    (
        event_id, event_type, procedure_id, occurred_us, producer_id, producer_seq, procedure_seq,
        topic_id, part, incarnation, kafka_offset, kafka_timestamp_ms, kafka_key, kafka_headers,
        schema_sha256, key_id, signing_key_id, signature, reason, source_seq, raw, content_hash,
    ) = fields  # fmt: skip
    try:
        # What the recorder makes of nearly every event, in few calls.
        if (
            key_id is None and signing_key_id is None and signature is None
            and reason is None and source_seq is None
            and len(event_id) == len(procedure_id) == 16
            and len(schema_sha256) == len(content_hash) == 32
        ):  # fmt: skip
            return b"".join(
                (
                    _EVENT_ID.pack(16, event_id), packed_text(event_type),
                    _PROCEDURE.pack(16, procedure_id, 8, occurred_us), packed_text(producer_id),
                    _DELIVERY.pack(
                        8, producer_seq, 8, procedure_seq, 4, topic_id, 4, part, 2, incarnation,
                        8, kafka_offset, 8, kafka_timestamp_ms,
                    ),
                    _LENGTH.pack(len(kafka_key)), kafka_key,
                    _LENGTH.pack(len(kafka_headers)), kafka_headers,
                    _SCHEMA.pack(32, schema_sha256, -1, -1, -1, -1, -1),
                    _LENGTH.pack(len(raw)), raw, HASH_LENGTH, content_hash,
                )
            )  # fmt: skip
    except (struct.error, TypeError, ValueError, AttributeError):
        pass  # a null, or a value that fits no column: the long way tells which
    return pack_fields(RECORD_COLUMNS, fields)


def pack_fields(columns: Sequence[tuple[str, str]], values: Sequence[object]) -> bytes:
    """Any row in the same encoding, column by column.

    :param columns: name and PostgreSQL type of each; ``?`` = may be null.
    :raises BatchRefused: a value that its column cannot hold; the message names the column.
    """
    packed = []
    for (name, kind), value in zip(columns, values, strict=True):
        try:
            packed.append(_FIELDS[kind](value))
        except (struct.error, TypeError, ValueError, AttributeError) as error:
            raise BatchRefused(
                f"column {name} ({kind.rstrip('?')}) cannot hold {value!r:.80}: {error}",
                hint="quarantine the record: its bytes are kept, and the reason beside them",
            ) from error
    return b"".join(packed)


@lru_cache(maxsize=4096)
def packed_text(text: str) -> bytes:
    """A text field. Cached, since types, producers and reasons repeat.

    :raises ValueError: U+0000, which PostgreSQL's text cannot hold, or a lone surrogate.
    """
    if "\x00" in text:
        raise ValueError("U+0000 in text")
    return _packed_bytes(text.encode())


def _packed_bytes(data: bytes, length: int | None = None) -> bytes:
    if length is not None and len(data) != length:
        raise ValueError(f"{len(data)} bytes, not {length}")
    return _LENGTH.pack(len(data)) + data


def _or_null(pack: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda value: NULL if value is None else pack(value)


_REQUIRED: Final[dict[str, Callable[[Any], bytes]]] = {
    "smallint": lambda value: _SMALL.pack(2, value),
    "integer": lambda value: _INT.pack(4, value),
    "bigint": lambda value: _BIG.pack(8, value),
    "uuid": lambda value: _packed_bytes(value, 16),
    "hash": lambda value: _packed_bytes(value, 32),
    "bytea": _packed_bytes,
    "text": packed_text,
}
_FIELDS: Final = _REQUIRED | {f"{kind}?": _or_null(pack) for kind, pack in _REQUIRED.items()}
