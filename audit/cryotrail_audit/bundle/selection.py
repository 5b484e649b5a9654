"""Which entries of the log say what a procedure's entries mean."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from cryotrail_audit.bundle.errors import ExportRefused
from cryotrail_audit.bundle.readable import readable_event
from cryotrail_audit.erasure.erase import ERASURE
from cryotrail_audit.places import PlacedLog
from cryotrail_audit.records import ADMINISTRATIVE, CONFLICT, Entry, StoredSchema
from cryotrail_audit.store import AuditStore


def explaining_entries(
    store: AuditStore, entries: Collection[Entry], log: PlacedLog, tree_size: int
) -> list[Entry]:
    """The log's own entries on the schemas, topics, signing keys and erasures of these entries.

    In the order of the log, among its first ``tree_size`` entries. Of a signing key every
    statement that the log has there, so also its revocation.

    :raises ExportRefused: a schema or topic of which this log says nothing.
    """
    wanted: dict[str, set[object]] = {
        "schema": {e.schema_sha256.hex() for e in entries if e.schema_sha256 is not None},
        "topic": {e.topic_id for e in entries if e.topic_id is not None},
    }
    personal = _personal_keys(entries, store.schemas())
    keys = {e.signing_key_id.hex() for e in entries if e.signing_key_id is not None}
    named = {"schema": "sha256", "topic": "topic_id", "key": "key_id"}
    said = []
    for entry in _administrative(store, log, tree_size):
        if entry.event_type not in {*named, ERASURE} or entry.raw is None:
            continue
        payload = json.loads(entry.raw)
        if not isinstance(payload, dict):
            continue
        if entry.event_type == ERASURE:
            if not personal.isdisjoint(payload.get("key_ids", ())):
                said.append(entry)
            continue
        name = payload.get(named[entry.event_type])
        if entry.event_type == "key" and name in keys:
            said.append(entry)
        elif name in wanted.get(entry.event_type, ()):
            wanted[entry.event_type].remove(name)
            said.append(entry)
    missing = [f"{kind} {name}" for kind, names in wanted.items() for name in names]
    if missing:
        raise ExportRefused(
            f"this log has no entry on {', '.join(missing)}, so their meaning cannot be proved",
            hint="cryotrail audit verify tells whether entries were removed",
        )
    return said


def _personal_keys(
    entries: Collection[Entry], schemas: Mapping[bytes, StoredSchema]
) -> set[object]:
    """The keys that personal text of these entries is, or would be, encrypted with."""
    events = [readable_event(e, schemas) or {} for e in entries if e.kind <= CONFLICT]
    headers = [event.get("header") for event in events]
    return {h.get("personal_key_id") for h in headers if isinstance(h, dict)} - {None}


def _administrative(store: AuditStore, log: PlacedLog, tree_size: int) -> Iterator[Entry]:
    last = log.first + tree_size - 1
    for entries in store.entries(log.first - 1, last, kinds=(ADMINISTRATIVE,)):
        yield from entries
