"""What was recorded of one procedure, as the rows that seals and numbers are compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_audit.records import CONFLICT, Entry, StoredSchema
from cryotrail_schemas.codec import same_content
from cryotrail_schemas.errors import UndecodableRecord
from cryotrail_schemas.framing import parse_frame

SEAL_TYPE: Final = "ProcedureSealed"
TELEMETRY_TYPE: Final = "ProbeTelemetryChunk"


class Redelivery(NamedTuple):
    """A further copy of an entry in Kafka."""

    seq: int
    """Of the entry that it repeats: its place."""
    producer_id: str | None
    producer_seq: int | None
    procedure_seq: int | None
    raw: bytes | None
    """Its bytes where they differ from the entry's."""


@dataclass(frozen=True, slots=True)
class RecordedProcedure:
    """Everything that the store has of one procedure."""

    procedure_id: UUID
    entries: Sequence[Entry]
    """Of kinds 0 to 2, in the order of the store; ``seq`` is their place."""
    redeliveries: Sequence[Redelivery]
    """Of those entries, by batch and coordinates."""


class Row(NamedTuple):
    """One copy of an event, as one producer numbered it."""

    event_id: bytes
    kind: int
    """Of its entry; that of a conflict, where a copy says something else than its entry."""
    event_type: str | None
    occurred_us: int | None
    producer_id: str | None
    procedure_seq: int | None
    content: bytes
    """SHA-256 of its body."""
    is_again: bool
    """A redelivery of its entry."""

    @property
    def is_telemetry(self) -> bool:
        return self.event_type == TELEMETRY_TYPE

    @property
    def is_seal(self) -> bool:
        return self.event_type == SEAL_TYPE


def rows_of(recorded: RecordedProcedure, schemas: Mapping[bytes, StoredSchema]) -> list[Row]:
    """The rows of a procedure; of each event those of kind 0 first, an entry before its copies.

    :param schemas: all schemas of the store.
    """
    again = defaultdict(list)
    for redelivery in recorded.redeliveries:
        again[redelivery.seq].append(redelivery)
    events = [entry for entry in recorded.entries if entry.kind <= CONFLICT]
    events.sort(key=lambda entry: entry.kind)  # stable: the order of the log within a kind
    rows = [row for entry in events for row in _rows(entry, again.get(entry.seq, ()), schemas)]
    return sorted(rows, key=lambda row: row.kind)


def body_of(raw: bytes | None) -> bytes | None:
    """The body within a recorded value; None when it has no frame."""
    try:
        return parse_frame(raw).body
    except UndecodableRecord:
        return None


def _rows(
    entry: Entry, again: Sequence[Redelivery], schemas: Mapping[bytes, StoredSchema]
) -> Iterator[Row]:
    body = body_of(entry.raw)
    if body is None:
        return
    content = sha256(body).digest()
    yield _row(entry, entry.producer_id, entry.procedure_seq, content, is_again=False)
    for copy in again:
        copied = body if copy.raw is None else body_of(copy.raw)
        if copied is not None:
            hashed = content if copied is body else sha256(copied).digest()
            row = _row(entry, copy.producer_id, copy.procedure_seq, hashed, is_again=True)
            # Whoever may append may call other bytes a copy, such as those that were sealed.
            is_copy = hashed == content or _says_the_same(entry, body, copy.raw, schemas)
            yield row if is_copy else row._replace(kind=CONFLICT)


def _says_the_same(
    entry: Entry, body: bytes, copied: bytes | None, schemas: Mapping[bytes, StoredSchema]
) -> bool:
    """Whether other bytes say what the entry says, each read by the schema that wrote it.

    What a registry's id means was not kept of a copy: there it is any schema of the entry's type.
    """
    written = schemas.get(entry.schema_sha256 or b"")
    if written is None:
        return False
    frame = parse_frame(copied)
    return any(
        same_content(body, written.text, frame.body, schema.text)
        for schema in schemas.values()
        if (schema.event_type == written.event_type and frame.fingerprint is None)
        or schema.fingerprint == frame.fingerprint
    )


def _row(
    entry: Entry, producer_id: str | None, procedure_seq: int | None, content: bytes, is_again: bool
) -> Row:
    return Row(
        entry.event_id,
        entry.kind,
        entry.event_type,
        entry.occurred_us,
        producer_id,
        procedure_seq,
        content,
        is_again,
    )
