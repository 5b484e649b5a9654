"""Amendments and voids, resolved for the touched procedures that have any.

The rules are those of :mod:`cryotrail_schemas.corrections`, in one place for every reader of the
log. Staging joins what differs from the record; the record itself is never changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryotrail_audit.store import AuditStore
from cryotrail_schemas.corrections import CurrentView, RecordedEvent, current_view
from cryotrail_warehouse.decoding import Decoder
from cryotrail_warehouse.raw_tables import insert_json

if TYPE_CHECKING:
    import duckdb

COLUMNS: Final = {
    "event_id": "UUID",
    "is_voided": "BOOLEAN",
    "amended_paths": "VARCHAR[]",
    "has_concurrent_amendment": "BOOLEAN",
    "correction_status": "VARCHAR",
    "event": "JSON",
}
"""Columns of the temporary table ``current_event``; ``event`` is null unless amended."""

_CORRECTED: Final = """
select distinct procedure_id::varchar from build.raw.procedure_stream
inner join temp.touched using (procedure_id)
where last_correction_seq is not null
order by 1
"""

_RECORDED: Final = """
select seq, event_id, event_type, event, content_hash from build.raw.event
where procedure_id = $1 order by seq
"""

_TARGETED_CHUNKS: Final = """
select chunk.event_id from build.raw.telemetry_chunk as chunk
inner join build.raw.event as correction
  on correction.procedure_id = chunk.procedure_id
  and (correction.event ->> '$.target_event_id')::uuid = chunk.event_id
where chunk.procedure_id = $1 and correction.event_type in ('EventAmended', 'EventVoided')
group by chunk.event_id
"""


def resolve_touched(
    connection: duckdb.DuckDBPyConnection, store: AuditStore, scratch_dir: Path
) -> None:
    """Fill ``temp.current_event`` with every event that differs from its record, by id.

    A correction is looked for a target within its own procedure: it must carry its target's
    procedure_id, and one that does not waits for ever and is shown as waiting.
    """
    defined = ", ".join(f"{name} {data_type}" for name, data_type in COLUMNS.items())
    connection.execute(f"create or replace temp table current_event ({defined})")
    rows: list[dict[str, Any]] = []
    for (procedure_id,) in connection.execute(_CORRECTED).fetchall():
        recorded = [*_discrete(connection, procedure_id), *_chunks(connection, store, procedure_id)]
        rows.extend(_rows(recorded, current_view(recorded)))
    if rows:
        insert_json(connection, "temp.current_event", COLUMNS, rows, scratch_dir)


def _discrete(connection: duckdb.DuckDBPyConnection, procedure_id: str) -> Iterator[RecordedEvent]:
    for seq, event_id, event_type, event, content_hash in connection.execute(
        _RECORDED, [procedure_id]
    ).fetchall():
        yield RecordedEvent(
            seq, event_id, event_type, json.loads(event), bytes.fromhex(content_hash)
        )


def _chunks(
    connection: duckdb.DuckDBPyConnection, store: AuditStore, procedure_id: str
) -> Iterator[RecordedEvent]:
    """The few telemetry chunks that a correction targets, decoded whole from the store."""
    targeted = connection.execute(_TARGETED_CHUNKS, [procedure_id]).fetchall()
    decoder = Decoder(store.schemas()) if targeted else None
    for (event_id,) in targeted:
        entry = store.entry_of(event_id)
        assert entry is not None and entry.event_type is not None and decoder is not None
        document = decoder.document(entry)
        yield RecordedEvent(entry.seq, event_id, entry.event_type, document, entry.content_hash)


def _rows(recorded: list[RecordedEvent], view: CurrentView) -> Iterator[dict[str, Any]]:
    for current in view.events:
        if current.voided or current.amended_paths or current.concurrent_paths:
            yield {
                "event_id": str(current.original.event_id),
                "is_voided": current.voided,
                "amended_paths": current.amended_paths,
                "has_concurrent_amendment": bool(current.concurrent_paths),
                "correction_status": None,
                "event": current.event_json if current.amended_paths else None,
            }
    for event in recorded:
        if "target_event_id" in event.event_json:
            yield {
                "event_id": str(event.event_id),
                "is_voided": event.event_id in view.voided_ids,
                "amended_paths": (),
                "has_concurrent_amendment": False,
                "correction_status": _status(event, view),
                "event": None,
            }


def _status(correction: RecordedEvent, view: CurrentView) -> str:
    unapplied = [item for item in view.unapplied if item.event_id == correction.event_id]
    whole = [item.reason for item in unapplied if item.path is None]
    if whole:
        return "WAITING" if whole[0] == "target_missing" else whole[0].upper()
    if correction.event_id in view.voided_ids:
        return "TAKEN_BACK"
    if not unapplied:
        return "APPLIED"
    changes = len(correction.event_json["changes"])
    return "PARTLY_APPLIED" if len(unapplied) < changes else unapplied[0].reason.upper()
