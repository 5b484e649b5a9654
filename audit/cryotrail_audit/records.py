"""What goes into the audit store and what comes out of it, as plain tuples.

Integers are plain ``int``, UUIDs are their 16 bytes, times are microseconds since
1970-01-01T00:00:00Z (``_us``) unless the name says otherwise, and an absent value is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

EVENT: Final = 0
"""Kind of an entry: an event that could be read and is the first of its id."""
CONFLICT: Final = 1
"""Kind of an entry: an event id that is known, with other content."""
QUARANTINED: Final = 2
"""Kind of an entry: a record that could not be read; ``reason`` says why."""
ADMINISTRATIVE: Final = 3
"""Kind of an entry: written by the store or the recorder itself; ``raw`` is UTF-8 JSON."""

KINDS: Final = {
    EVENT: "event",
    CONFLICT: "conflict",
    QUARANTINED: "quarantined",
    ADMINISTRATIVE: "administrative",
}


class IncomingRecord(NamedTuple):
    """One Kafka record as the recorder read it.

    The order of the fields is the order of the columns of ``audit.entry`` after ``recorded_us``.
    """

    event_id: bytes
    """16 bytes; of a quarantined record the UUIDv5 of its coordinates."""
    event_type: str | None
    procedure_id: bytes | None
    occurred_us: int | None
    """The producer's clock, as the body has it."""
    producer_id: str | None
    producer_seq: int | None
    procedure_seq: int | None
    topic_id: int | None
    part: int | None
    incarnation: int | None
    """Counts the lives of a partition: one more after a topic was re-created or its tail cut."""
    kafka_offset: int | None
    kafka_timestamp_ms: int | None
    kafka_key: bytes | None
    kafka_headers: bytes | None
    """In order, name then value, each a big-endian int4 length (-1 = null) and the bytes."""
    schema_sha256: bytes | None
    """The schema that wrote the body, as :meth:`AuditStore.register_schema` returned it."""
    key_id: bytes | None
    """The key that personal data in the body is encrypted with; null = none in it."""
    signing_key_id: bytes | None
    signature: bytes | None
    reason: str | None
    """Why the record is not a plain event, or flags on one that is."""
    source_seq: int | None
    """Place of the quarantined entry that this record was replayed from."""
    raw: bytes | None
    """The exact bytes of the record's value, framing included; None = a null value."""
    content_hash: bytes
    """SHA-256 of the body without framing; of a quarantined record, of the whole value."""


class PartitionProgress(NamedTuple):
    """What one transaction says about one partition."""

    topic_id: int
    part: int
    incarnation: int
    epoch: int
    """What :meth:`AuditStore.claim` returned for this partition."""
    first_offset: int
    """Offset of the first record looked at."""
    next_offset: int
    """Where to go on: one more than the offset of the last record looked at."""
    record_count: int
    last_record_hash: bytes
    """SHA-256 over key and value of the last record, each length-framed as the headers are."""


RESET_OWNER: Final = "reset/"
"""What the owner of a claim begins with that an operator's reset made: nobody reads under it."""


POSITION_RESET: Final = "position_reset"
"""Type of the entries that say that a position was moved, one a partition."""


class Skip(NamedTuple):
    """Offsets that an operator's reset passed over.

    Those that nothing was recorded at then may be recorded since, after a reset back.
    """

    first: int
    end: int
    """Not included."""

    def covers(self, offset: int) -> bool:
        """Whether an offset is one of them."""
        return self.first <= offset < self.end


class PositionReset(NamedTuple):
    """Where one partition is to be read on from, and where it stood when that was decided."""

    topic_id: int
    part: int
    incarnation: int
    recorded_offset: int | None
    """``next_offset`` of its position; None = it was never read. When the reset leads back, it may
    have gone on meanwhile."""
    from_offset: int
    """The same; of a partition that was never read, where its log begins."""
    to_offset: int
    unread_count: int
    """Offsets from ``from_offset`` on that are passed over and at which nothing is recorded."""
    last_record_hash: bytes
    """Of the record before ``to_offset``, as :class:`PartitionProgress` has it."""


class Administrative(NamedTuple):
    """Something to be said in the log itself, such as a loss alarm."""

    event_type: str
    payload: Mapping[str, Any]
    """What JSON can say; stored as UTF-8 JSON and never serialised again."""


class IncomingBatch(NamedTuple):
    """What one transaction appends."""

    records: Sequence[tuple[int, IncomingRecord]]
    """Pairs of kind (EVENT or QUARANTINED) and record; of each partition in offset order."""
    partitions: Sequence[PartitionProgress]
    administrative: Sequence[Administrative]
    """Become entries before the records do."""
    owner: str
    """Who claimed the partitions."""


class AppendOutcome(NamedTuple):
    """What one append did."""

    first_seq: int
    """Place of the first entry of the batch, or of the next one to come when it added none."""
    tree_size: int
    """Entries of all logs."""
    root: bytes
    """Of the newest log."""
    recorded: int
    """New events (kind 0)."""
    redelivered: int
    """Records whose event id and content were known already."""
    conflicts: int
    quarantined: int
    batch_no: int


class Position(NamedTuple):
    """How far a partition has been recorded."""

    topic_id: int
    topic_uuid: UUID
    cluster_id: str
    part: int
    incarnation: int
    next_offset: int
    last_record_hash: bytes | None


class Entry(NamedTuple):
    """One row of the log: every column of ``audit.entry`` in the order that the leaf binds."""

    log_id: int
    framing: int
    kind: int
    procedure_entry_no: int | None
    """1, 2, … per procedure over kinds 0 to 2, so that a missing entry shows."""
    seq: int
    """0, 1, 2, … without a gap: the index of the entry's leaf in the Merkle tree of its log.

    Where a store has several logs, :meth:`AuditStore.place_of` orders the entries of all.
    """
    recorded_us: int
    """The store's clock; never decreases along ``seq``."""
    event_id: bytes
    event_type: str | None
    procedure_id: bytes | None
    occurred_us: int | None
    producer_id: str | None
    producer_seq: int | None
    procedure_seq: int | None
    topic_id: int | None
    part: int | None
    incarnation: int | None
    kafka_offset: int | None
    kafka_timestamp_ms: int | None
    kafka_key: bytes | None
    kafka_headers: bytes | None
    schema_sha256: bytes | None
    key_id: bytes | None
    signing_key_id: bytes | None
    signature: bytes | None
    reason: str | None
    source_seq: int | None
    raw: bytes | None
    content_hash: bytes
    leaf_hash: bytes


class Head(NamedTuple):
    """The end of the store."""

    batch_no: int
    """Of the newest log; -1 while nothing has been appended."""
    tree_size: int
    """Entries of all logs: one more than the place of the last."""
    root: bytes
    """RFC 6962 Merkle tree hash of the newest log; of an empty log SHA-256 of nothing."""
    recorded_us: int | None
    """When the last batch was appended."""


class Replay(NamedTuple):
    """What became of a quarantined entry."""

    source_seq: int
    """Its place."""
    seq: int
    """Place of the entry that holds what it says."""
    outcome: Literal["event", "conflict", "redelivered"]
    """``redelivered``: entry ``seq`` had said it before, so the replay added no entry of it."""
    reason: str | None
    """Flags of that entry; ``corrected_by_operator: …`` where its bytes are an operator's."""
    replay_seq: int
    """The entry that the replay appended: ``seq`` itself, or an administrative one."""


class Counts(NamedTuple):
    """How many rows of each kind the store holds."""

    events: int
    conflicts: int
    quarantined: int
    administrative: int
    redeliveries: int


class StoredTopic(NamedTuple):
    """A Kafka topic that records came from."""

    topic_id: int
    cluster_id: str
    topic_uuid: UUID
    name: str


class StoredSchema(NamedTuple):
    """An Avro schema that bodies were written with."""

    sha256: bytes
    """Of the UTF-8 bytes of ``text``."""
    fingerprint: bytes
    """CRC-64-AVRO, the 8 bytes in the order of the wire."""
    event_type: str
    version: int | None
    """Of a released schema; None for a registry's text that differs in documentation only."""
    text: str
