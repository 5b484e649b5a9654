"""The checksum of an outbox row, so that a disk that changes a byte is found out before Kafka is.

SQLite notices damage to its own structure, not to what a column holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

WRITTEN_COLUMNS = (
    "event_id",
    "event_type",
    "procedure_id",
    "occurred_us",
    "topic",
    "source",
    "producer_no",
    "producer_seq",
    "procedure_seq",
    "value",
    "signing_key_id",
    "signature",
    "traceparent",
    "appended_us",
)
"""What is written once of an event, in the order in which it is hashed."""


def row_checksum(columns: Sequence[bytes | str | int | None]) -> bytes:
    """16 bytes of BLAKE2b over the :data:`WRITTEN_COLUMNS`, as Python writes them in ASCII.

    Without the last, which is of use to nobody but this file.

    It guards against accidents; against intent stand the signatures and the audit store.
    """
    return blake2b(ascii(tuple(columns[:-1])).encode("ascii"), digest_size=16).digest()
