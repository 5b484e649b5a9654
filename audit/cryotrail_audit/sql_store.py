"""The audit store on SQLAlchemy: SQLite and PostgreSQL behind one contract."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from cryotrail_audit import reading, registration
from cryotrail_audit.append import append
from cryotrail_audit.append_postgresql import PostgresqlAppends
from cryotrail_audit.append_sqlite import SqliteAppends
from cryotrail_audit.append_transaction import AppendDatabase, AppendTransaction
from cryotrail_audit.clock import StoreClock
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.migration import check_revision
from cryotrail_audit.prepare import prepare
from cryotrail_audit.records import (
    AppendOutcome,
    Counts,
    Entry,
    Head,
    IncomingBatch,
    Position,
    StoredSchema,
    StoredTopic,
)
from cryotrail_audit.tables import SCHEMA_TEXT


class SqlStore:
    """See :class:`~cryotrail_audit.store.AuditStore`, whose contract this keeps."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._clock = StoreClock()
        self._schema_texts: dict[bytes, str] = {}
        self._appends: AppendDatabase = (
            SqliteAppends(engine) if engine.dialect.name == "sqlite" else PostgresqlAppends(engine)
        )

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """See :func:`~cryotrail_audit.store.open_store`."""
        parsed = parse_url(url)
        store = cls(engine_of(parsed), name_of(parsed))
        try:
            with store._reading() as connection:
                check_revision(connection, store._name)
        except BaseException:
            store.close()
            raise
        return store

    def origin(self) -> str:
        with self._reading() as connection:
            return reading.read_origin(connection)

    def append(self, batch: IncomingBatch) -> AppendOutcome:
        prepared = prepare(batch)
        with self._appending() as transaction:

            def schema_text(digest: bytes) -> str | None:
                return self._schema_text(transaction.connection, digest)

            return append(transaction, prepared, self._clock.now_us(), schema_text)

    def register_topic(self, cluster_id: str, topic_uuid: UUID, name: str) -> int:
        with self._reading() as connection:
            topic_id = registration.find_topic(connection, cluster_id, topic_uuid)
        if topic_id is not None:
            return topic_id
        with self._appending() as transaction:
            return registration.add_topic(
                transaction, cluster_id, topic_uuid, name, self._clock.now_us()
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
                transaction, text, fingerprint, event_type, version, self._clock.now_us()
            )

    def claim(self, owner: str, topic_id: int, parts: Iterable[int]) -> dict[int, int]:
        with self._appending() as transaction:
            return registration.add_claims(
                transaction, owner, topic_id, parts, self._clock.now_us()
            )

    def position(self, topic_name: str, part: int) -> Position | None:
        with self._reading() as connection:
            return reading.read_position(connection, topic_name, part)

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
            after_seq = rows[-1].seq

    def entry_of(self, event_id: UUID) -> Entry | None:
        with self._reading() as connection:
            return reading.read_entry_of(connection, event_id.bytes)

    def topics(self) -> Mapping[int, StoredTopic]:
        with self._reading() as connection:
            return reading.read_topics(connection)

    def schemas(self) -> Mapping[bytes, StoredSchema]:
        with self._reading() as connection:
            return reading.read_schemas(connection)

    def head(self) -> Head:
        with self._reading() as connection:
            return reading.read_head(connection)

    def counts(self) -> Counts:
        with self._reading() as connection:
            return reading.read_counts(connection)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_errors(self._name), self._engine.connect() as connection:
            yield connection

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
