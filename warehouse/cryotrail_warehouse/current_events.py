"""Amendments and voids, resolved for the touched procedures that have any.

The rules are those of :mod:`cryotrail_schemas.corrections`, in one place for every reader of the
log. Staging joins what differs from the record; the record itself is never changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryotrail_audit.store import AuditStore
from cryotrail_schemas.corrections import (
    CORRECTION_TYPES,
    CurrentView,
    RecordedEvent,
    current_view,
    target_id,
)
from cryotrail_warehouse.correction_rows import CHANGE_COLUMNS, correction_rows
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

_ELSEWHERE: Final = """
select seq, event_id, procedure_id::varchar from build.raw.event
where event_id in (select unnest($1::uuid[]))
union all
select seq, event_id, procedure_id::varchar from build.raw.telemetry_chunk
where event_id in (select unnest($1::uuid[]))
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
    """Fill ``temp.current_event`` with every event that differs from its record, by id, and
    ``temp.correction_change`` with every change that corrections make, or cannot make.

    A correction must carry its target's procedure_id; one whose target is another procedure's is
    not applied, and told from one that waits.
    """
    _create(connection, "current_event", COLUMNS)
    _create(connection, "correction_change", CHANGE_COLUMNS)
    rows: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for (procedure_id,) in connection.execute(_CORRECTED).fetchall():
        recorded = [*_discrete(connection, procedure_id), *_chunks(connection, store, procedure_id)]
        view = current_view([*recorded, *_elsewhere(connection, recorded)])
        rows.extend(_rows(recorded, view))
        changes.extend(correction_rows(recorded, view))
    if rows:
        insert_json(connection, "temp.current_event", COLUMNS, rows, scratch_dir)
    if changes:
        insert_json(connection, "temp.correction_change", CHANGE_COLUMNS, changes, scratch_dir)


def _create(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str]) -> None:
    defined = ", ".join(f"{name} {data_type}" for name, data_type in columns.items())
    connection.execute(f"create or replace temp table {table} ({defined})")


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
        yield RecordedEvent(
            store.place_of(entry), event_id, entry.event_type, document, entry.content_hash
        )


def _elsewhere(
    connection: duckdb.DuckDBPyConnection, recorded: Sequence[RecordedEvent]
) -> Iterator[RecordedEvent]:
    """The targets that other procedures have, as far as it takes to say so."""
    corrections = [event for event in recorded if event.type in CORRECTION_TYPES]
    missing = {target_id(one) for one in corrections} - {event.event_id for event in recorded}
    if not missing:
        return
    wanted = [str(event_id) for event_id in sorted(missing)]
    for seq, event_id, procedure_id in connection.execute(_ELSEWHERE, [wanted]).fetchall():
        yield RecordedEvent(seq, event_id, "", {"header": {"procedure_id": procedure_id}}, b"")


def _rows(recorded: Sequence[RecordedEvent], view: CurrentView) -> Iterator[dict[str, Any]]:
    own = {event.event_id for event in recorded}
    for current in view.events:
        if current.original.event_id in own and (
            current.voided or current.amended_paths or current.concurrent_paths
        ):
            yield {
                "event_id": str(current.original.event_id),
                "is_voided": current.voided,
                "amended_paths": current.amended_paths,
                "has_concurrent_amendment": bool(current.concurrent_paths),
                "correction_status": None,
                "event": current.event_json if current.amended_paths else None,
            }
    for event in recorded:
        if event.type in CORRECTION_TYPES:
            yield {
                "event_id": str(event.event_id),
                "is_voided": event.event_id in view.voided_ids,
                "amended_paths": (),
                "has_concurrent_amendment": False,
                "correction_status": view.verdict(event),
                "event": None,
            }
