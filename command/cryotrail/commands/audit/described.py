"""An entry as JSON: what identifies it, its bytes, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryotrail_audit.decoded import decoded_event, unframed_headers
from cryotrail_audit.records import KINDS, Entry, StoredTopic
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.delivery import TRACEPARENT
from cryotrail_schemas.trace_context import trace_id_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def described(store: AuditStore, entry: Entry) -> dict[str, Any]:
    """Everything that is known of an entry; hashes and bytes in hex."""
    topics = store.topics()
    return {
        **numbered(store, entry),
        "kind": KINDS[entry.kind],
        "event_id": str(UUID(bytes=entry.event_id)),
        "event_type": entry.event_type,
        "procedure_id": None if entry.procedure_id is None else str(UUID(bytes=entry.procedure_id)),
        "procedure_entry_no": entry.procedure_entry_no,
        "occurred_at": time_text(entry.occurred_us),
        "recorded_at": time_text(entry.recorded_us),
        "topic": topic_name(topics, entry),
        "partition": entry.part,
        "offset": entry.kafka_offset,
        "producer_id": entry.producer_id,
        "producer_seq": entry.producer_seq,
        "procedure_seq": entry.procedure_seq,
        "reason": entry.reason,
        "source_seq": entry.source_seq,
        "key_hex": _hex(entry.kafka_key),
        "headers": [
            {"name": name, "value": None if value is None else value.decode(errors="replace")}
            for name, value in unframed_headers(entry.kafka_headers)
        ],
        **_traced(entry),
        "schema_sha256": _hex(entry.schema_sha256),
        "raw_hex": _hex(entry.raw),
        "content_hash": entry.content_hash.hex(),
        "leaf_hash": entry.leaf_hash.hex(),
        "event": decoded_event(entry, store.schemas()),
    }


def _traced(entry: Entry) -> dict[str, str]:
    """The W3C trace context that the event came with, where it came with one."""
    said = dict(unframed_headers(entry.kafka_headers)).get(TRACEPARENT)
    text = None if said is None else said.decode("ascii", "replace")
    return {TRACEPARENT: text} if text is not None and trace_id_of(text) is not None else {}


def numbered(store: AuditStore, entry: Entry) -> dict[str, Any]:
    """The number by which commands take an entry; its log and number there, where they differ."""
    place = store.place_of(entry)
    if place == entry.seq:
        return {"seq": place}
    origin = store.places().logs[entry.log_id - 1].origin
    return {"seq": place, "log": origin, "log_seq": entry.seq}


def topic_name(topics: Mapping[int, StoredTopic], entry: Entry) -> str | None:
    """The name of the topic that an entry came from; None = it came from none."""
    return None if entry.topic_id is None else topics[entry.topic_id].name


def time_text(microseconds: int | None) -> str | None:
    """Microseconds since 1970 as ISO 8601 in UTC."""
    if microseconds is None:
        return None
    try:
        time = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds} us"  # a producer's clock of another age
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
