"""What the verdicts are made from, out of a store: procedures, their redeliveries, the keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text

from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.migration import check_revision
from cryotrail_audit.origin.judging import judge_procedure
from cryotrail_audit.origin.keys import ENTRY_TYPE, KeyRegister
from cryotrail_audit.origin.rows import RecordedProcedure, Redelivery
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.places import read_places
from cryotrail_audit.reading import read_schemas
from cryotrail_audit.records import Entry, StoredSchema
from cryotrail_audit.tables import ENTRY, REDELIVERY

# Literally, as the partial indexes have it: a parameter would hide them from the plan.
_NUMBERED = text("entry.procedure_entry_no is not null")
_ADMINISTRATIVE = text("entry.kind = 3")


class OriginReader:
    """Judges the procedures of one store, which is only read. Use it in ``with``.

    Every method may raise :class:`StoreUnavailable`, which is retriable.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the store at a database URL.

        :raises StoreNotReady: nothing there, or a schema that this program does not know.
        """
        parsed = parse_url(url)
        opened = cls(engine_of(parsed), name_of(parsed))
        try:
            with opened._reading() as connection:
                check_revision(connection, opened._name)
        except BaseException:
            opened.close()
            raise
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

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
        for procedure_id in procedure_ids:
            yield self.verdict(procedure_id, keys, schemas)

    def verdict(
        self, procedure_id: UUID, keys: KeyRegister, schemas: Mapping[bytes, StoredSchema]
    ) -> OriginVerdict:
        """The verdict on one procedure, with the store's keys and schemas at hand."""
        with self._reading() as connection:
            recorded = read_recorded(connection, procedure_id)
        return judge_procedure(recorded, schemas, keys)

    def keys(self) -> KeyRegister:
        """What the log says about keys."""
        with self._reading() as connection:
            return read_keys(connection)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_errors(self._name), self._engine.connect() as connection:
            yield connection


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
    of_procedure = ENTRY.c.procedure_id == procedure_id.bytes
    # The redeliveries first: one of an entry that comes in between would name no entry.
    again = connection.execute(
        select(*(REDELIVERY.c[name] for name in Redelivery._fields))
        .join(ENTRY, places.named_by(REDELIVERY.c.seq))
        .where(of_procedure, _NUMBERED)
        .order_by(
            REDELIVERY.c.log_id,
            REDELIVERY.c.batch_no,
            REDELIVERY.c.topic_id,
            REDELIVERY.c.part,
            REDELIVERY.c.incarnation,
            REDELIVERY.c.kafka_offset,
        )
    ).all()
    entries = connection.execute(
        select(ENTRY).where(of_procedure, _NUMBERED).order_by(ENTRY.c.log_id, ENTRY.c.seq)
    )
    return RecordedProcedure(
        procedure_id,
        [entry._replace(seq=places.of_entry(entry)) for entry in map(Entry._make, entries)],
        [Redelivery(*row) for row in again],
    )
