"""What becomes of each incoming record: a new entry, a redelivery, or a conflict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cryotrail_audit.appending.prepare import PreparedRecord
from cryotrail_audit.appending.transaction import KnownEntry
from cryotrail_audit.records import CONFLICT, EVENT, QUARANTINED, IncomingRecord
from cryotrail_schemas.codec import parse_frame, same_content
from cryotrail_schemas.errors import CryotrailError

SchemaText = Callable[[bytes], str | None]
"""The text of a registered schema by its SHA-256."""


class Redelivered(NamedTuple):
    """A record that brings nothing new."""

    record: IncomingRecord
    seq: int
    """Place of the entry that it repeats."""
    raw: bytes | None
    """Its bytes, where they differ from the entry's."""


class Resolution(NamedTuple):
    """The records of a batch, sorted out; ``kept`` in their order, with their final kinds."""

    kept: Sequence[PreparedRecord]
    redelivered: Sequence[Redelivered]


def resolve(
    records: Sequence[PreparedRecord],
    known: Iterable[KnownEntry],
    log_id: int,
    first_place: int,
    schema_text: SchemaText,
) -> Resolution:
    """Sort the records of a batch out.

    :param known: the entries of kinds 0 to 2 that have an event id of the batch; ``seq`` is their
        place.
    :param log_id: the log that is appended to.
    :param first_place: where the first record that is kept will stand.
    """
    by_id: defaultdict[bytes, list[KnownEntry]] = defaultdict(list)
    for entry in known:
        by_id[entry.event_id].append(entry)
    if not by_id and len({record.event_id for _, record, _ in records}) == len(records):
        return Resolution(records, ())
    kept: list[PreparedRecord] = []
    redelivered = []
    for kind, record, tail in records:
        entries = by_id[record.event_id]
        repeated = _repeated(kind, record, entries, schema_text)
        if repeated is not None:
            raw = None if repeated.raw == record.raw else record.raw
            redelivered.append(Redelivered(record, repeated.seq, raw))
            continue
        if kind == EVENT and any(entry.kind == EVENT for entry in entries):
            kind = CONFLICT
        entries.append(
            KnownEntry(
                record.event_id,
                log_id,
                kind,
                first_place + len(kept),
                record.content_hash,
                record.schema_sha256,
                record.raw,
            )
        )
        kept.append((kind, record, tail))
    return Resolution(kept, redelivered)


def _repeated(
    kind: int, record: IncomingRecord, entries: Sequence[KnownEntry], schema_text: SchemaText
) -> KnownEntry | None:
    """The entry that has the record's content, if one has."""
    for entry in entries:
        # The same bytes say the same only under the same schema.
        if (entry.content_hash, entry.schema_sha256) == (
            record.content_hash,
            record.schema_sha256,
        ):
            return entry
    if kind == QUARANTINED:
        return None  # nobody could read it, so there is nothing to compare but its bytes
    for entry in entries:
        if entry.kind != QUARANTINED and _same_fields(record, entry, schema_text):
            return entry
    return None


def _same_fields(record: IncomingRecord, entry: KnownEntry, schema_text: SchemaText) -> bool:
    """Whether both bodies, each decoded by the schema that wrote it, say the same."""
    if None in (record.raw, entry.raw, record.schema_sha256, entry.schema_sha256):
        return False
    assert record.raw is not None and entry.raw is not None
    assert record.schema_sha256 is not None and entry.schema_sha256 is not None
    text, known_text = schema_text(record.schema_sha256), schema_text(entry.schema_sha256)
    if text is None or known_text is None:
        return False
    try:
        return same_content(
            parse_frame(record.raw).body, text, parse_frame(entry.raw).body, known_text
        )
    except CryotrailError:
        return False  # what cannot be compared is kept as a conflict, never dropped
