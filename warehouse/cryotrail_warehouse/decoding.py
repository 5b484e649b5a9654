"""Entries of the audit store to rows of the raw tables: the one place where Avro is decoded.

Discrete events become JSON documents, of which models take the fields they need. Telemetry is a
hundred times as many samples and goes its own, cheaper way: one row a chunk, no event object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryotrail_audit.appending.replayed import REPLAY
from cryotrail_audit.records import ADMINISTRATIVE, EVENT, KINDS, Entry, StoredSchema
from cryotrail_schemas.catalog import EventType, catalog, event_type_of
from cryotrail_schemas.codec import decode, decode_plain, parse_frame
from cryotrail_schemas.errors import SchemaError, UndecodableRecord
from cryotrail_schemas.json_form import event_to_json
from cryotrail_warehouse.errors import EntryChanged

TELEMETRY: Final = "ProbeTelemetryChunk"

DECODER_VERSION: Final = 2
"""Raised when the raw rows change their meaning, so that they are decoded anew."""


class RawRow(NamedTuple):
    """One row for one raw table."""

    table: str
    """``event``, ``telemetry_chunk``, ``remark`` or ``replay``."""
    values: dict[str, Any]
    """By column; what JSON can say."""


class Decoder:
    """Decodes entries under the schemas that the store holds."""

    def __init__(self, schemas: Mapping[bytes, StoredSchema]) -> None:
        self._schemas = schemas
        self._event_types: dict[bytes, EventType] = {}

    def row(self, entry: Entry) -> RawRow:
        """The raw row of one entry of any kind.

        An event that this version cannot read becomes a remark with the reason: it is counted,
        never dropped silently, and a newer version reads it by a rebuild.

        :raises EntryChanged: its bytes are not those that were recorded.
        """
        if entry.kind != EVENT:
            return _remark(entry, entry.reason)
        try:
            if entry.event_type == TELEMETRY:
                return _telemetry_row(entry, self._body(entry), self._event_type(entry))
            return _event_row(entry, self.document(entry))
        except (UndecodableRecord, SchemaError) as error:
            return _remark(entry, str(error))

    def rows(self, entries: Iterable[Entry]) -> Iterator[RawRow]:
        """The raw rows of entries: one each, and one more of a replay from quarantine.

        :raises EntryChanged: see :meth:`row`.
        """
        for entry in entries:
            yield self.row(entry)
            if entry.source_seq is not None or entry.event_type == REPLAY:
                yield _replay_row(entry)

    def document(self, entry: Entry) -> dict[str, Any]:
        """An event as JSON, of either topic.

        :raises UndecodableRecord: the body does not decode.
        :raises SchemaError: its type or schema is not known to this version.
        """
        return event_to_json(decode(self._body(entry), self._event_type(entry)))

    def _body(self, entry: Entry) -> bytes:
        body = parse_frame(entry.raw).body
        if sha256(body).digest() != entry.content_hash:
            raise EntryChanged(
                f"the bytes of entry {entry.seq} are not those that were recorded",
                hint="cryotrail audit verify tells what was changed; no marts are built from it",
            )
        return body

    def _event_type(self, entry: Entry) -> EventType:
        key = entry.schema_sha256 or b""
        if key not in self._event_types:
            self._event_types[key] = self._known(key)
        return self._event_types[key]

    def _known(self, key: bytes) -> EventType:
        if key not in self._schemas:
            raise SchemaError(f"the store does not hold the schema {key.hex()[:16]}")
        stored = self._schemas[key]
        catalog().current(stored.event_type)
        # A text of a registry may differ from the released one in documentation alone.
        return catalog().by_fingerprint(stored.fingerprint) or event_type_of(stored.text)


def decoder_digest() -> str:
    """SHA-256 (hexadecimal) over what decoding depends on; raw rows of another one are stale."""
    digest = sha256(b"%d" % DECODER_VERSION)
    for event_type in catalog():
        digest.update(event_type.text.encode())
    return digest.hexdigest()


def _event_row(entry: Entry, document: Mapping[str, Any]) -> RawRow:
    return RawRow(
        "event",
        {
            "seq": entry.seq,
            "event_id": _hex(entry.event_id),
            "event_type": entry.event_type,
            "procedure_id": _hex(entry.procedure_id),
            "recorded_us": entry.recorded_us,
            "producer_id": entry.producer_id,
            "procedure_seq": entry.procedure_seq,
            "content_hash": entry.content_hash.hex(),
            "event": document,
        },
    )


def _telemetry_row(entry: Entry, body: bytes, event_type: EventType) -> RawRow:
    chunk = decode_plain(body, event_type)
    return RawRow(
        "telemetry_chunk",
        {
            "seq": entry.seq,
            "event_id": _hex(entry.event_id),
            "procedure_id": _hex(entry.procedure_id),
            "recorded_us": entry.recorded_us,
            "channel": chunk["channel"],
            "probe_id": chunk.get("probe_id"),
            "sensor_id": chunk.get("sensor_id"),
            "cycle_no": chunk.get("cycle_no"),
            "started_us": chunk["header"]["occurred_at"],
            "period_ms": chunk["period_ms"],
            "values": chunk["values"],
            "quality": chunk["quality"],
        },
    )


def _remark(entry: Entry, reason: str | None) -> RawRow:
    return RawRow(
        "remark",
        {
            "seq": entry.seq,
            "kind": entry.kind,
            "event_type": entry.event_type,
            "procedure_id": _hex(entry.procedure_id),
            "reason": reason,
        },
    )


def _replay_row(entry: Entry) -> RawRow:
    if entry.kind == ADMINISTRATIVE:  # it said what an entry had said before
        source_seq, outcome = json.loads(entry.raw or b"{}").get("source_seq"), "redelivered"
    else:
        source_seq, outcome = entry.source_seq, KINDS[entry.kind]
    return RawRow("replay", {"source_seq": source_seq, "seq": entry.seq, "outcome": outcome})


def _hex(value: bytes | None) -> str | None:
    # DuckDB reads a UUID from its 32 digits; hyphens would cost more than decoding a chunk's head.
    return value.hex() if value is not None else None
