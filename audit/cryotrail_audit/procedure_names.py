"""Which procedure is meant: by its id, or by a label."""

from __future__ import annotations

from contextlib import closing
from uuid import UUID

from sqlalchemy import Connection, select

from cryotrail_audit.databases import engine_of, parse_url
from cryotrail_audit.decoded import decoded_event
from cryotrail_audit.errors import ProcedureNotFound
from cryotrail_audit.records import EVENT, Entry
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.tables import ENTRY

_SCHEDULED = "ProcedureScheduled"


def procedure_named(url: str, wanted: str) -> UUID:
    """The same as :func:`find_procedure`, of the store at a database URL.

    :raises StoreNotReady, StoreUnavailable: the store cannot be read.
    """
    engine = engine_of(parse_url(url))
    try:
        with closing(open_store(url)) as store, engine.connect() as connection:
            return find_procedure(store, connection, wanted)
    finally:
        engine.dispose()


def find_procedure(store: AuditStore, connection: Connection, wanted: str) -> UUID:
    """The procedure of an id, or of a label that one procedure alone was scheduled under.

    A label is looked for in the entries as they were recorded; later amendments do not count.

    :raises ProcedureNotFound: no procedure, or several.
    """
    try:
        procedure_id = UUID(wanted)
    except ValueError:
        return _labelled(store, connection, wanted)
    if next(store.procedure_entries(procedure_id, batch_rows=1), None) is None:
        raise ProcedureNotFound(
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
        event = decoded_event(entry, schemas) or {}
        if event.get("procedure_label") == label and entry.procedure_id is not None:
            found.add(UUID(bytes=entry.procedure_id))
    if len(found) != 1:
        listed = ", ".join(sorted(map(str, found)))
        raise ProcedureNotFound(
            f"{len(found)} procedures were scheduled under the label {label!r}",
            hint=f"give the id of one of them: {listed}" if found else "give the procedure's id",
        )
    return found.pop()
