"""Where a record stands in Kafka, and how that place is told from another of the same number.

A topic can be deleted and created again under its name, and the tail of a log can be cut off by a
power failure; offsets then begin anew. The *incarnation* counts these lives of a partition.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple
from uuid import UUID, uuid5

from cryotrail_schemas.identifiers import NAMESPACE

_length = struct.Struct(">i").pack
_NULL = _length(-1)

NOTHING_RECORDED = b"\x00" * 32
"""The record hash of a partition that begins at its first offset: no record hashes to it."""


class TopicPartition(NamedTuple):
    """A partition by the name of its topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Lineage(NamedTuple):
    """One life of a partition: with an offset it names a record for ever."""

    cluster_id: str
    topic_uuid: UUID
    topic_id: int
    """The store's short number for (cluster_id, topic_uuid)."""
    partition: int
    incarnation: int

    def quarantine_id(self, offset: int) -> UUID:
        """The event id of a record that has none that could be read: UUIDv5 of its coordinates."""
        return uuid5(
            NAMESPACE,
            f"{self.cluster_id}/{self.topic_uuid}/{self.partition}/{self.incarnation}/{offset}",
        )


def framed(value: bytes | None) -> bytes:
    """A big-endian int4 length and the bytes; an absent value is length -1 alone."""
    return _NULL if value is None else _length(len(value)) + value


def record_hash(key: bytes | None, value: bytes | None) -> bytes:
    """SHA-256 of a record's framed key and value, by which its log is recognised later."""
    return hashlib.sha256(framed(key) + framed(value)).digest()
