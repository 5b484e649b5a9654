"""Which procedure is meant, and which entries of the log say what its entries mean."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy import Connection, select

from cryotrail_audit.bundle.errors import ExportRefused
from cryotrail_audit.bundle.readable import readable_event
from cryotrail_audit.places import PlacedLog
from cryotrail_audit.records import ADMINISTRATIVE, EVENT, Entry
from cryotrail_audit.store import AuditStore
from cryotrail_audit.tables import ENTRY

_SCHEDULED = "ProcedureScheduled"


def find_procedure(store: AuditStore, connection: Connection, wanted: str) -> UUID:
    """The procedure of an id, or of a label that one procedure alone was scheduled under.

    A label is looked for in the entries as they were recorded; later amendments do not count.

    :raises ExportRefused: no procedure, or several.
    """
    try:
        procedure_id = UUID(wanted)
    except ValueError:
        return _labelled(store, connection, wanted)
    if next(store.procedure_entries(procedure_id, batch_rows=1), None) is None:
        raise ExportRefused(
            f"nothing is recorded of a procedure {procedure_id}",
            hint="it may still wait in an outbox: cryotrail outbox status",
        )
    return procedure_id


def _labelled(store: AuditStore, connection: Connection, label: str) -> UUID:
    query = select(ENTRY).where(ENTRY.c.kind == EVENT, ENTRY.c.event_type == _SCHEDULED)
    schemas = store.schemas()
    found = set()
    for row in connection.execute(query):
        entry = Entry(*row)
        event = readable_event(entry, schemas) or {}
        if event.get("procedure_label") == label and entry.procedure_id is not None:
            found.add(UUID(bytes=entry.procedure_id))
    if len(found) != 1:
        listed = ", ".join(sorted(map(str, found)))
        raise ExportRefused(
            f"{len(found)} procedures were scheduled under the label {label!r}",
            hint=f"give the id of one of them: {listed}" if found else "give the procedure's id",
        )
    return found.pop()


def explaining_entries(
    store: AuditStore, entries: Collection[Entry], log: PlacedLog, tree_size: int
) -> list[Entry]:
    """The log's own entries on the schemas, topics and signing keys of these entries.

    In the order of the log, among its first ``tree_size`` entries. Of a signing key every
    statement that the log has there, so also its revocation.

    :raises ExportRefused: a schema or topic of which this log says nothing.
    """
    wanted: dict[str, set[object]] = {
        "schema": {e.schema_sha256.hex() for e in entries if e.schema_sha256 is not None},
        "topic": {e.topic_id for e in entries if e.topic_id is not None},
    }
    keys = {e.signing_key_id.hex() for e in entries if e.signing_key_id is not None}
    named = {"schema": "sha256", "topic": "topic_id", "key": "key_id"}
    said = []
    for entry in _administrative(store, log, tree_size):
        if entry.event_type not in named or entry.raw is None:
            continue
        payload = json.loads(entry.raw)
        name = payload.get(named[entry.event_type]) if isinstance(payload, dict) else None
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


def _administrative(store: AuditStore, log: PlacedLog, tree_size: int) -> Iterator[Entry]:
    last = log.first + tree_size - 1
    for entries in store.entries(log.first - 1, last, kinds=(ADMINISTRATIVE,)):
        yield from entries
