"""The chain over batch rows: each hashes itself, its positions and redeliveries, and the one before.

``batch_hash`` = SHA-256(02 || batch row || count and batch_partition rows || count and redelivery
rows): rows in the order of their keys, columns in the order of the table and in the encoding of
framing 1, counts as big-endian int4. The batch row goes in up to ``prev_hash``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from cryotrail_audit.framing import pack_fields

BATCH_PREFIX: Final = b"\x02"
"""Apart from RFC 6962's 00 of a leaf and 01 of a node."""

NO_BATCH: Final = bytes(32)
"""``prev_hash`` of the first batch."""

_COUNT = struct.Struct(">i")


class BatchRow(NamedTuple):
    """A row of ``batch`` without its ``batch_hash``."""

    log_id: int
    batch_no: int
    first_seq: int
    tree_size: int
    root: bytes
    frontier: bytes
    recorded_us: int
    prev_hash: bytes


class PartitionRow(NamedTuple):
    """A row of ``batch_partition``."""

    log_id: int
    batch_no: int
    topic_id: int
    part: int
    incarnation: int
    first_offset: int
    next_offset: int
    record_count: int
    last_record_hash: bytes


class RedeliveryRow(NamedTuple):
    """A row of ``redelivery``."""

    log_id: int
    batch_no: int
    topic_id: int
    part: int
    incarnation: int
    kafka_offset: int
    seq: int
    producer_id: str | None
    producer_seq: int | None
    procedure_seq: int | None
    content_hash: bytes
    raw: bytes | None
    recorded_us: int


BATCH_COLUMNS: Final = (
    ("log_id", "smallint"),
    ("batch_no", "bigint"),
    ("first_seq", "bigint"),
    ("tree_size", "bigint"),
    ("root", "hash"),
    ("frontier", "bytea"),
    ("recorded_us", "bigint"),
    ("prev_hash", "hash"),
)
"""Name and type of each column of :class:`BatchRow`; ``?`` = may be null."""

PARTITION_COLUMNS: Final = (
    ("log_id", "smallint"),
    ("batch_no", "bigint"),
    ("topic_id", "integer"),
    ("part", "integer"),
    ("incarnation", "smallint"),
    ("first_offset", "bigint"),
    ("next_offset", "bigint"),
    ("record_count", "integer"),
    ("last_record_hash", "hash"),
)
"""Name and type of each column of :class:`PartitionRow`; ``?`` = may be null."""

REDELIVERY_COLUMNS: Final = (
    ("log_id", "smallint"),
    ("batch_no", "bigint"),
    ("topic_id", "integer"),
    ("part", "integer"),
    ("incarnation", "smallint"),
    ("kafka_offset", "bigint"),
    ("seq", "bigint"),
    ("producer_id", "text?"),
    ("producer_seq", "bigint?"),
    ("procedure_seq", "bigint?"),
    ("content_hash", "hash"),
    ("raw", "bytea?"),
    ("recorded_us", "bigint"),
)
"""Name and type of each column of :class:`RedeliveryRow`; ``?`` = may be null."""


def batch_hash(
    batch: BatchRow, partitions: Iterable[PartitionRow], redeliveries: Iterable[RedeliveryRow]
) -> bytes:
    """The hash of a batch; the rows of each kind may come in any order.

    :raises BatchRefused: a value that its column cannot hold.
    """
    # Within one batch the key of both kinds begins to differ at topic_id.
    rows = [pack_fields(PARTITION_COLUMNS, row) for row in sorted(partitions, key=_coordinates)]
    again = [pack_fields(REDELIVERY_COLUMNS, row) for row in sorted(redeliveries, key=_coordinates)]
    return sha256(
        b"".join(
            (
                BATCH_PREFIX,
                pack_fields(BATCH_COLUMNS, batch),
                _COUNT.pack(len(rows)),
                *rows,
                _COUNT.pack(len(again)),
                *again,
            )
        )
    ).digest()


def _coordinates(row: PartitionRow | RedeliveryRow) -> tuple[int, ...]:
    return (row.topic_id, row.part, row.incarnation, row[5])
