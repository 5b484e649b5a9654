"""The tables as SQLAlchemy sees them, for queries.

The definitions that the database is built from are the SQL files in ``migrations/sql``: their
checks and triggers are the guarantee. A test holds both against each other. On SQLite the same
tables stand without a schema; ``databases.engine_of`` translates the name away.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.types import TypeEngine

SCHEMA: Final = "audit"
"""PostgreSQL schema of all tables, and of the table that Alembic keeps the revision in."""


class UuidBytes(TypeDecorator[bytes]):
    """A UUID as its 16 bytes: ``uuid`` on PostgreSQL, a BLOB on SQLite."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid())
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> object:
        if value is None or dialect.name != "postgresql":
            return value
        return UUID(bytes=value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return value.bytes if isinstance(value, UUID) else value


# SQLite's STRICT tables know one integer type.
_Small = SmallInteger().with_variant(Integer(), "sqlite")
_Big = BigInteger().with_variant(Integer(), "sqlite")

METADATA: Final = MetaData(schema=SCHEMA)


def _column(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], key: bool = False) -> Any:
    return Column(name, kind, nullable=False, primary_key=key, autoincrement=False)


def _optional(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Any:
    return Column(name, kind, nullable=True)


LOG: Final = Table(
    "log",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("origin", Text),
    _optional("continues", Text),
    _column("created_us", _Big),
    UniqueConstraint("origin"),
)

TOPIC: Final = Table(
    "topic",
    METADATA,
    _column("topic_id", Integer, key=True),
    _column("cluster_id", Text),
    _column("topic_uuid", UuidBytes),
    _column("name", Text),
    _column("created_us", _Big),
    UniqueConstraint("cluster_id", "topic_uuid"),
)

SCHEMA_TEXT: Final = Table(
    "schema",
    METADATA,
    _column("sha256", LargeBinary, key=True),
    _column("fingerprint", LargeBinary),
    _column("event_type", Text),
    _optional("version", Integer),
    _column("text", Text),
    _column("created_us", _Big),
    Index("schema_fingerprint", "fingerprint"),
)

_EVENT = text("kind = 0")
_OTHER = text("kind > 0")
_ADMINISTRATIVE = text("kind = 3")
_NUMBERED = text("procedure_entry_no is not null")
_REPLAYED = text("source_seq is not null")
_FROM_KAFKA = text("source_seq is null and kafka_offset is not null")

ENTRY: Final = Table(
    "entry",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("framing", _Small),
    _column("kind", _Small),
    _optional("procedure_entry_no", Integer),
    _column("seq", _Big, key=True),
    _column("recorded_us", _Big),
    _column("event_id", UuidBytes),
    _optional("event_type", Text),
    _optional("procedure_id", UuidBytes),
    _optional("occurred_us", _Big),
    _optional("producer_id", Text),
    _optional("producer_seq", _Big),
    _optional("procedure_seq", _Big),
    _optional("topic_id", Integer),
    _optional("part", Integer),
    _optional("incarnation", _Small),
    _optional("kafka_offset", _Big),
    _optional("kafka_timestamp_ms", _Big),
    _optional("kafka_key", LargeBinary),
    _optional("kafka_headers", LargeBinary),
    _optional("schema_sha256", LargeBinary),
    _optional("key_id", LargeBinary),
    _optional("signing_key_id", LargeBinary),
    _optional("signature", LargeBinary),
    _optional("reason", Text),
    _optional("source_seq", _Big),
    _optional("raw", LargeBinary),
    _column("content_hash", LargeBinary),
    _column("leaf_hash", LargeBinary),
    Index("entry_event", "event_id", unique=True, postgresql_where=_EVENT, sqlite_where=_EVENT),
    Index("entry_event_other", "event_id", postgresql_where=_OTHER, sqlite_where=_OTHER),
    Index(
        "entry_procedure",
        "procedure_id",
        "procedure_entry_no",
        unique=True,
        postgresql_where=_NUMBERED,
        sqlite_where=_NUMBERED,
    ),
    Index(
        "entry_coordinates",
        "topic_id",
        "part",
        "incarnation",
        "kafka_offset",
        unique=True,
        postgresql_where=_FROM_KAFKA,
        sqlite_where=_FROM_KAFKA,
    ),
    Index(
        "entry_source",
        "source_seq",
        postgresql_where=_REPLAYED,
        sqlite_where=_REPLAYED,
    ),
    Index(
        "entry_administrative",
        "event_type",
        "seq",
        postgresql_where=_ADMINISTRATIVE,
        sqlite_where=_ADMINISTRATIVE,
    ),
)

BATCH: Final = Table(
    "batch",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("batch_no", _Big, key=True),
    _column("first_seq", _Big),
    _column("tree_size", _Big),
    _column("root", LargeBinary),
    _column("frontier", LargeBinary),
    _column("recorded_us", _Big),
    _column("prev_hash", LargeBinary),
    _column("batch_hash", LargeBinary),
)

BATCH_PARTITION: Final = Table(
    "batch_partition",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("batch_no", _Big, key=True),
    _column("topic_id", Integer, key=True),
    _column("part", Integer, key=True),
    _column("incarnation", _Small, key=True),
    _column("first_offset", _Big),
    _column("next_offset", _Big),
    _column("record_count", Integer),
    _column("last_record_hash", LargeBinary),
)
Index(
    "batch_partition_newest",
    BATCH_PARTITION.c.topic_id,
    BATCH_PARTITION.c.part,
    BATCH_PARTITION.c.log_id.desc(),
    BATCH_PARTITION.c.batch_no.desc(),
)

CLAIM: Final = Table(
    "claim",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("topic_id", Integer, key=True),
    _column("part", Integer, key=True),
    _column("epoch", _Big, key=True),
    _column("owner", Text),
    _column("claimed_us", _Big),
)

REDELIVERY: Final = Table(
    "redelivery",
    METADATA,
    _column("log_id", _Small),
    _column("batch_no", _Big),
    _column("topic_id", Integer, key=True),
    _column("part", Integer, key=True),
    _column("incarnation", _Small, key=True),
    _column("kafka_offset", _Big, key=True),
    _column("seq", _Big),
    _optional("producer_id", Text),
    _optional("producer_seq", _Big),
    _optional("procedure_seq", _Big),
    _column("content_hash", LargeBinary),
    _optional("raw", LargeBinary),
    _column("recorded_us", _Big),
    Index("redelivery_seq", "log_id", "seq"),
)

TILE: Final = Table(
    "tile",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("level", _Small, key=True),
    _column("tile_no", _Big, key=True),
    _column("root", LargeBinary),
    _column("hashes", LargeBinary),
)

CHECKPOINT: Final = Table(
    "checkpoint",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("checkpoint_no", _Big, key=True),
    _column("origin", Text),
    _column("tree_size", _Big),
    _column("root", LargeBinary),
    _column("note", LargeBinary),
    _column("signed_us", _Big),
)
Index(
    "checkpoint_newest",
    CHECKPOINT.c.origin,
    CHECKPOINT.c.tree_size.desc(),
    CHECKPOINT.c.checkpoint_no.desc(),
)

PROCEDURE_HEAD: Final = Table(
    "procedure_head",
    METADATA,
    _column("log_id", _Small, key=True),
    _column("procedure_id", UuidBytes, key=True),
    _column("tree_size", _Big, key=True),
    _column("entry_count", Integer),
    _column("leaves_hash", LargeBinary),
    _column("note", LargeBinary),
    _column("signed_us", _Big, key=True),
)
