"""What the verdicts are made from, out of a store: procedures, their redeliveries, the keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select, text

from cryotrail_audit.origin.judging import judge_procedure
from cryotrail_audit.origin.keys import ENTRY_TYPE, KeyRegister
from cryotrail_audit.origin.rows import RecordedProcedure, Redelivery
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.origin.withheld import read_erased_keys
from cryotrail_audit.places import Places, read_places
from cryotrail_audit.reading import read_schemas
from cryotrail_audit.records import Entry
from cryotrail_audit.store_connections import StoreConnections
from cryotrail_audit.tables import ENTRY, REDELIVERY

# Literally, as the partial indexes have it: a parameter would hide them from the plan.
_NUMBERED = text("entry.procedure_entry_no is not null")
_ADMINISTRATIVE = text("entry.kind = 3")

_ORDER: Final = ("log_id", "batch_no", "topic_id", "part", "incarnation", "kafka_offset")
_IN_LIST: Final = 500


class OriginReader(StoreConnections):
    """Judges the procedures of one store, which is only read. Use it in ``with``."""

    def procedure_ids(self) -> list[UUID]:
        """Every procedure of which anything was recorded."""
        with self._reading() as connection:
            found = connection.execute(
                select(ENTRY.c.procedure_id).where(_NUMBERED).distinct()
            ).scalars()
            return sorted(UUID(bytes=procedure_id) for procedure_id in found)

    def verdicts(self, *procedure_ids: UUID) -> Iterator[OriginVerdict]:
        """The verdict on each of these procedures; one that was never recorded is not sealed."""
        with self._reading() as connection:
            keys, schemas = read_keys(connection), read_schemas(connection)
            erased_keys = read_erased_keys(connection)
        for procedure_id in procedure_ids:
            with self._reading() as connection:
                recorded = read_recorded(connection, procedure_id)
            yield judge_procedure(recorded, schemas, keys, erased_keys)

    def keys(self) -> KeyRegister:
        """What the log says about keys."""
        with self._reading() as connection:
            return read_keys(connection)


def read_keys(connection: Connection) -> KeyRegister:
    """The key statements of all logs."""
    rows = connection.execute(
        select(ENTRY)
        .where(_ADMINISTRATIVE, ENTRY.c.event_type == ENTRY_TYPE)
        .order_by(ENTRY.c.log_id, ENTRY.c.seq)
    )
    return KeyRegister.of(Entry(*row) for row in rows)


def read_recorded(connection: Connection, procedure_id: UUID) -> RecordedProcedure:
    """Entries and redeliveries of one procedure, over all logs."""
    places = read_places(connection)
    found = connection.execute(
        select(ENTRY)
        .where(ENTRY.c.procedure_id == procedure_id.bytes, _NUMBERED)
        .order_by(ENTRY.c.log_id, ENTRY.c.seq)
    )
    entries = [entry._replace(seq=places.of_entry(entry)) for entry in map(Entry._make, found)]
    again = _redeliveries(connection, places, [entry.seq for entry in entries])
    return RecordedProcedure(procedure_id, entries, again)


def _redeliveries(
    connection: Connection, places: Places, wanted: Sequence[int]
) -> list[Redelivery]:
    """The redeliveries of entries, by batch and coordinates.

    By the places of the entries: a join would read every redelivery that there is.
    """
    columns = [REDELIVERY.c[name] for name in (*_ORDER, *Redelivery._fields)]
    in_logs = REDELIVERY.c.log_id.in_([log.log_id for log in places.logs])
    found: list[Sequence[Any]] = []
    for first in range(0, len(wanted), _IN_LIST):
        named = REDELIVERY.c.seq.in_(wanted[first : first + _IN_LIST])
        found += connection.execute(select(*columns).where(in_logs, named)).all()
    found.sort(key=lambda row: tuple(row[: len(_ORDER)]))
    return [Redelivery(*row[len(_ORDER) :]) for row in found]
