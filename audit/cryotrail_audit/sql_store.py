"""The audit store on SQLAlchemy: SQLite and PostgreSQL behind one contract."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from cryotrail_audit import history, positions, reading, registration
from cryotrail_audit.appending.append import append
from cryotrail_audit.appending.databases import appends_of
from cryotrail_audit.appending.position_reset import reset_positions
from cryotrail_audit.appending.prepare import prepare
from cryotrail_audit.appending.replayed import read_replays
from cryotrail_audit.appending.transaction import AppendTransaction
from cryotrail_audit.clock import StoreClock
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.errors import AuditError
from cryotrail_audit.places import Places, read_places
from cryotrail_audit.records import (
    AppendOutcome,
    Counts,
    Entry,
    Head,
    IncomingBatch,
    Position,
    PositionReset,
    Replay,
    Skip,
    StoredSchema,
    StoredTopic,
)
from cryotrail_audit.store_connections import StoreConnections
from cryotrail_audit.tables import SCHEMA_TEXT


class SqlStore(StoreConnections):
    """See :class:`~cryotrail_audit.store.AuditStore`, whose contract this keeps."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine, name)
        self.clock = StoreClock()
        """What entries are stamped by."""
        self._schema_texts: dict[bytes, str] = {}
        self._places = Places(())
        self._appends = appends_of(engine)

    def origin(self) -> str:
        with self._reading() as connection:
            return reading.read_origin(connection)

    def append(self, batch: IncomingBatch) -> AppendOutcome:
        prepared = prepare(batch)
        with self._appending() as transaction:

            def schema_text(digest: bytes) -> str | None:
                return self._schema_text(transaction.connection, digest)

            outcome = append(transaction, prepared, self.clock.now_us(transaction), schema_text)
        self.clock.appended(outcome.tree_size)
        return outcome

    def register_topic(self, cluster_id: str, topic_uuid: UUID, name: str) -> int:
        with self._reading() as connection:
            topic_id = registration.find_topic(connection, cluster_id, topic_uuid)
        if topic_id is not None:
            return topic_id
        with self._appending() as transaction:
            return registration.add_topic(
                transaction, cluster_id, topic_uuid, name, self.clock.now_us(transaction)
            )

    def register_schema(
        self, text: str, fingerprint: bytes, event_type: str, version: int | None
    ) -> bytes:
        registration.check_fingerprint(text, fingerprint)
        digest = sha256(text.encode()).digest()
        with self._reading() as connection:
            if registration.is_schema_known(connection, digest):
                return digest
        with self._appending() as transaction:
            return registration.add_schema(
                transaction, text, fingerprint, event_type, version, self.clock.now_us(transaction)
            )

    def claim(self, owner: str, topic_id: int, parts: Iterable[int]) -> dict[int, int]:
        with self._appending() as transaction:
            return registration.add_claims(
                transaction, owner, topic_id, parts, self.clock.now_us(transaction)
            )

    def check_claims(self, owner: str, epochs: Mapping[tuple[int, int], int]) -> None:
        with self._reading() as connection:
            registration.check_claims(connection, owner, epochs)

    def reset_positions(
        self,
        resets: Sequence[PositionReset],
        owner: str,
        reason: str | None,
        decided_by: str,
    ) -> AppendOutcome:
        with self._appending() as transaction:
            now_us = self.clock.now_us(transaction)
            return reset_positions(transaction, resets, owner, reason, decided_by, now_us)

    def furthest_position(self, position: Position) -> Position:
        with self._reading() as connection:
            return positions.read_furthest_position(connection, position)

    def incarnation_begin(self, position: Position) -> int:
        with self._reading() as connection:
            return positions.read_incarnation_begin(connection, position)

    def position(self, topic_name: str, part: int) -> Position | None:
        with self._reading() as connection:
            return positions.read_position(connection, topic_name, part)

    def skips(self, position: Position) -> list[Skip]:
        with self._reading() as connection:
            return positions.read_skips(connection, position)

    def known_offsets(
        self, topic_id: int, part: int, incarnation: int, first: int, last: int
    ) -> set[int]:
        with self._reading() as connection:
            return reading.read_known_offsets(connection, topic_id, part, incarnation, first, last)

    def recorded_at(
        self, topic_id: int, part: int, first: int, last: int
    ) -> dict[int, tuple[bytes | None, bytes | None]]:
        with self._reading() as connection:
            return reading.read_recorded_at(connection, topic_id, part, first, last)

    def entries(
        self,
        after_seq: int = -1,
        through_seq: int | None = None,
        kinds: Collection[int] = (0, 1, 2, 3),
        batch_rows: int = 5000,
    ) -> Iterator[list[Entry]]:
        while True:
            with self._reading() as connection:
                rows = reading.read_entries(connection, after_seq, through_seq, kinds, batch_rows)
            if not rows:
                return
            yield rows
            after_seq = self.place_of(rows[-1])

    def places(self) -> Places:
        with self._reading() as connection:
            return read_places(connection)

    def place_of(self, entry: Entry) -> int:
        if entry.log_id == 1:
            return entry.seq
        if len(self._places.logs) < entry.log_id:
            # Where a log begins never changes, so what was read once is good for good.
            self._places = self.places()
        return self._places.of_entry(entry)

    def entry_of(self, event_id: UUID, through_seq: int | None = None) -> Entry | None:
        with self._reading() as connection:
            return history.read_entry_of(connection, event_id, through_seq)

    def procedure_entries(
        self, procedure_id: UUID, through_seq: int | None = None, batch_rows: int = 5000
    ) -> Iterator[list[Entry]]:
        entry_no = 0
        while True:
            with self._reading() as connection:
                rows = history.read_procedure_entries(
                    connection, procedure_id, entry_no, through_seq, batch_rows
                )
            if not rows:
                return
            yield rows
            entry_no = rows[-1].procedure_entry_no or 0

    def replays(self, source_seqs: Collection[int] | None = None) -> Mapping[int, Replay]:
        with self._reading() as connection:
            return read_replays(connection, source_seqs)

    def topics(self) -> Mapping[int, StoredTopic]:
        with self._reading() as connection:
            return reading.read_topics(connection)

    def schemas(self) -> Mapping[bytes, StoredSchema]:
        with self._reading() as connection:
            return reading.read_schemas(connection)

    def head(self, tree_size: int | None = None) -> Head:
        with self._reading() as connection:
            if tree_size is None:
                return reading.read_head(connection)
            head = history.read_head_at(connection, tree_size)
        if head is None:
            raise AuditError(
                f"the log never had {tree_size} entries",
                hint="cryotrail audit verify tells its size",
            )
        return head

    def size_as_of(self, recorded_us: int) -> int:
        with self._reading() as connection:
            return history.read_size_as_of(connection, recorded_us)

    def counts(self) -> Counts:
        with self._reading() as connection:
            return reading.read_counts(connection)

    @contextmanager
    def _appending(self) -> Iterator[AppendTransaction]:
        with database_errors(self._name), self._appends.transaction() as transaction:
            yield transaction

    def _schema_text(self, connection: Connection, digest: bytes) -> str | None:
        """A schema's text; kept, since rows of this table never change."""
        if digest not in self._schema_texts:
            text = connection.execute(
                select(SCHEMA_TEXT.c.text).where(SCHEMA_TEXT.c.sha256 == digest)
            ).scalar()
            if text is None:
                return None
            self._schema_texts[digest] = text
        return self._schema_texts[digest]
