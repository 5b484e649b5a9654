"""The procedures of a log as a signer asks for them: which ended, and the leaves of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.framing import FRAMING, leaf_hash, pack_head, pack_tail
from cryotrail_audit.records import EVENT, Entry
from cryotrail_audit.tables import ENTRY

ENDS: Final = ("ProcedureEnded", "ProcedureSealed")
"""Events after which a procedure's head is signed."""

_FIRST_OF_TAIL: Final = Entry._fields.index("event_id")


def ended_between(connection: Connection, log_id: int, first: int, end: int) -> list[bytes]:
    """The procedures that an entry ``first <= seq < end`` ends or seals, each once.

    Asked of the database as it is: who hides an end delays a signature, and forges nothing.
    """
    found = connection.execute(
        select(ENTRY.c.procedure_id)
        .where(
            ENTRY.c.log_id == log_id,
            ENTRY.c.seq >= first,
            ENTRY.c.seq < end,
            ENTRY.c.kind == EVENT,
            ENTRY.c.event_type.in_(ENDS),
            ENTRY.c.procedure_id.is_not(None),
        )
        .order_by(ENTRY.c.seq)
    ).scalars()
    return list(dict.fromkeys(found))


def leaves_of(connection: Connection, procedure_id: bytes, entry_count: int) -> Sequence[bytes]:
    """The leaf hashes of entries 1 to ``entry_count`` of a procedure, made from their columns.

    Of all logs: in one that continues another the numbers go on.

    :raises SigningRefused: a column holds what none can hold.
    """
    rows = connection.execute(
        select(ENTRY)
        .where(
            ENTRY.c.procedure_id == procedure_id,
            ENTRY.c.procedure_entry_no <= entry_count,
        )
        .order_by(ENTRY.c.procedure_entry_no)
    )
    return [_leaf_hash(Entry(*row)) for row in rows]


def _leaf_hash(entry: Entry) -> bytes:
    if entry.framing != FRAMING:
        raise SigningRefused(f"entry {entry.seq}: framing {entry.framing} is not known")
    head = pack_head(
        entry.log_id, entry.kind, entry.procedure_entry_no, entry.seq, entry.recorded_us
    )
    record: Any = entry[_FIRST_OF_TAIL:-1]
    try:
        return leaf_hash(head, pack_tail(record))
    except BatchRefused as error:
        raise SigningRefused(f"entry {entry.seq} cannot be read: {error}") from error
