"""What the store held at an earlier size, as functions of a connection.

Sizes and numbers are places: see :mod:`cryotrail_audit.places`. Rows never change, so "what was known then" is every entry below a size: the log at that size is
still there, whole.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select, text

from cryotrail_audit.places import PlacedLog, Places, read_places
from cryotrail_audit.records import Entry, Head
from cryotrail_audit.tables import BATCH, ENTRY
from cryotrail_schemas.merkle import EMPTY_ROOT, Frontier

# The conditions of the partial indexes, literally: see reading.
_EVENT, _OTHER = text("kind = 0"), text("kind > 0")
_NUMBERED = text("procedure_entry_no is not null")


def read_size_as_of(connection: Connection, recorded_us: int) -> int:
    """Entries of all logs that were recorded by a time; whole batches."""
    for log in reversed(read_places(connection).logs):
        newest = (
            select(BATCH.c.tree_size)
            .where(BATCH.c.log_id == log.log_id, BATCH.c.recorded_us <= recorded_us)
            .order_by(BATCH.c.batch_no.desc())
            .limit(1)
        )
        if (size := connection.execute(newest).scalar()) is not None:
            return log.first + int(size)
    return 0


def read_head_at(connection: Connection, tree_size: int) -> Head | None:
    """The store when it had this many entries; None = it never had as many.

    Within a batch the root is computed from the frontier before it and the leaf hashes since.
    """
    if tree_size < 0:
        return None
    log = read_places(connection).log_at(tree_size - 1)
    head = _head_of_log(connection, log, tree_size - log.first)
    return head and head._replace(tree_size=tree_size)


def _head_of_log(connection: Connection, log: PlacedLog, tree_size: int) -> Head | None:
    batch = connection.execute(
        select(BATCH.c.batch_no, BATCH.c.tree_size, BATCH.c.root, BATCH.c.recorded_us)
        .add_columns(BATCH.c.frontier)
        .where(BATCH.c.log_id == log.log_id, BATCH.c.tree_size <= tree_size)
        .order_by(BATCH.c.batch_no.desc())
        .limit(1)
    ).first()
    head = Head(-1, 0, EMPTY_ROOT, None) if batch is None else Head(*batch[:4])
    if head.tree_size == tree_size:
        return head
    rows = connection.execute(
        select(ENTRY.c.leaf_hash, ENTRY.c.recorded_us)
        .where(ENTRY.c.log_id == log.log_id)
        .where(ENTRY.c.seq >= head.tree_size, ENTRY.c.seq < tree_size)
        .order_by(ENTRY.c.seq)
    ).all()
    if head.tree_size + len(rows) < tree_size:
        return None
    frontier = Frontier.from_bytes(head.tree_size, b"" if batch is None else batch.frontier)
    frontier.extend([row.leaf_hash for row in rows])
    return Head(head.batch_no, tree_size, frontier.root(), rows[-1].recorded_us)


def read_entry_of(connection: Connection, event_id: UUID, through_seq: int | None) -> Entry | None:
    """The event of an id, else the first entry of another kind, up to a number."""
    places = read_places(connection)
    for condition in (_EVENT, _OTHER):
        found = select(ENTRY).where(ENTRY.c.event_id == event_id.bytes, condition)
        row = connection.execute(
            _through(found, places, through_seq).order_by(ENTRY.c.log_id, ENTRY.c.seq).limit(1)
        ).first()
        if row is not None:
            return Entry(*row)
    return None


def read_procedure_entries(
    connection: Connection,
    procedure_id: UUID,
    after_entry_no: int,
    through_seq: int | None,
    limit: int,
) -> list[Entry]:
    """The next entries of a procedure behind one of its numbers."""
    found = select(ENTRY).where(
        ENTRY.c.procedure_id == procedure_id.bytes,
        ENTRY.c.procedure_entry_no > after_entry_no,
        _NUMBERED,
    )
    rows = connection.execute(
        _through(found, read_places(connection), through_seq)
        .order_by(ENTRY.c.procedure_entry_no)
        .limit(limit)
    )
    return [Entry(*row) for row in rows]


def _through(statement: Select[Any], places: Places, through_seq: int | None) -> Select[Any]:
    condition = places.through(through_seq)
    return statement if condition is None else statement.where(condition)
