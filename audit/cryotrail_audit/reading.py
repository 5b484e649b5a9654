"""Everything the store can be asked, as functions of a connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Select, func, select, text, union

from cryotrail_audit.errors import LogMissing
from cryotrail_audit.places import read_places
from cryotrail_audit.records import (
    ADMINISTRATIVE,
    CONFLICT,
    EVENT,
    QUARANTINED,
    Counts,
    Entry,
    Head,
    StoredSchema,
    StoredTopic,
)
from cryotrail_audit.tables import (
    BATCH,
    ENTRY,
    LOG,
    REDELIVERY,
    SCHEMA_TEXT,
    TOPIC,
)
from cryotrail_schemas.merkle import EMPTY_ROOT

# The condition of the partial index, literally: a parameter in its place would hide the index from
# a plan that is made once for all values.
_OTHER = text("kind > 0")

# Rows of the log are read by the driver: SQLAlchemy would cost more than the reading itself.
_COLUMNS_SQLITE: Final = ", ".join(Entry._fields)
_COLUMNS_POSTGRESQL: Final = ", ".join(
    f"uuid_send({name})" if name in ("event_id", "procedure_id") else name for name in Entry._fields
)
_ENTRIES_SQLITE = f"""
select {_COLUMNS_SQLITE} from entry
where log_id = ? and seq > ? and seq <= ? and kind in ({{kinds}})
order by seq limit ?
"""
_ENTRIES_POSTGRESQL = f"""
select {_COLUMNS_POSTGRESQL} from audit.entry
where log_id = %s and seq > %s and seq <= %s and kind in ({{kinds}})
order by seq limit %s
"""
# There are few entries that are no events, and an index holds them alone: "+ 0" keeps the
# planner from reading the whole log by its primary key in order to find them.
_NO_EVENTS = {"log_id =": "kind > 0 and log_id + 0 =", "seq >": "seq + 0 >", "seq <=": "seq + 0 <="}
_LARGEST_SEQ: Final = 2**63 - 1


def read_origin(connection: Connection) -> str:
    """The name of the newest log.

    :raises LogMissing: there is none.
    """
    newest = select(LOG.c.origin).order_by(LOG.c.log_id.desc()).limit(1)
    origin: str | None = connection.execute(newest).scalar()
    if origin is None:
        raise LogMissing
    return origin


def read_entries(
    connection: Connection,
    after_seq: int,
    through_seq: int | None,
    kinds: Collection[int],
    limit: int,
) -> list[Entry]:
    """The first ``limit`` entries of these kinds in the range of places, in their order."""
    through = _LARGEST_SEQ if through_seq is None else through_seq
    listed = ", ".join(str(int(kind)) for kind in sorted(kinds)) or "null"
    driver: Any = connection.connection.driver_connection
    postgresql = isinstance(driver, psycopg.Connection)
    sql = (_ENTRIES_POSTGRESQL if postgresql else _ENTRIES_SQLITE).format(kinds=listed)
    if EVENT not in kinds:
        for condition, other in _NO_EVENTS.items():
            sql = sql.replace(condition, other)
    cursor = driver.cursor(binary=True) if postgresql else driver.cursor()
    found: list[Entry] = []
    for log_id, after, last in read_places(connection).stretches(after_seq, through):
        cursor.execute(sql, (log_id, after, last, limit - len(found)))
        found += map(Entry._make, cursor)
        if len(found) >= limit:
            break
    return found


def read_known_offsets(
    connection: Connection, topic_id: int, part: int, incarnation: int, first: int, last: int
) -> set[int]:
    """Offsets in the range that an entry or a redelivery has."""

    def offsets(table: Any) -> Select[Any]:
        return select(table.c.kafka_offset).where(
            table.c.topic_id == topic_id,
            table.c.part == part,
            table.c.incarnation == incarnation,
            table.c.kafka_offset.between(first, last),
        )

    from_kafka = offsets(ENTRY).where(ENTRY.c.source_seq.is_(None))
    return set(connection.execute(union(from_kafka, offsets(REDELIVERY))).scalars())


def read_recorded_at(
    connection: Connection, topic_id: int, part: int, first: int, last: int
) -> dict[int, tuple[bytes | None, bytes | None]]:
    """Key and value at each offset of the range, of the newest incarnation that has it."""

    def within(table: Any) -> Any:
        return (
            (table.c.topic_id == topic_id)
            & (table.c.part == part)
            & table.c.kafka_offset.between(first, last)
        )

    entries = select(
        ENTRY.c.incarnation, ENTRY.c.kafka_offset, ENTRY.c.kafka_key, ENTRY.c.raw
    ).where(within(ENTRY), ENTRY.c.source_seq.is_(None))
    # A redelivery keeps its bytes only where they differ from those of the entry it repeats.
    redeliveries = select(
        REDELIVERY.c.incarnation,
        REDELIVERY.c.kafka_offset,
        ENTRY.c.kafka_key,
        func.coalesce(REDELIVERY.c.raw, ENTRY.c.raw),
    ).where(
        within(REDELIVERY),
        read_places(connection).named_by(REDELIVERY.c.seq),
    )
    rows = connection.execute(entries.union_all(redeliveries)).all()
    ordered = sorted(rows, key=lambda row: row[0])
    return {offset: (key, raw) for _incarnation, offset, key, raw in ordered}


def read_topics(connection: Connection) -> Mapping[int, StoredTopic]:
    """All topics by id."""
    return {
        row.topic_id: StoredTopic(
            row.topic_id, row.cluster_id, UUID(bytes=row.topic_uuid), row.name
        )
        for row in connection.execute(select(TOPIC))
    }


def read_schemas(connection: Connection) -> Mapping[bytes, StoredSchema]:
    """All schemas by SHA-256."""
    columns = [SCHEMA_TEXT.c[name] for name in StoredSchema._fields]
    return {row.sha256: StoredSchema(*row) for row in connection.execute(select(*columns))}


def read_head(connection: Connection) -> Head:
    """The newest batch; a log that continues another has one from its beginning."""
    newest = read_places(connection).newest
    row = connection.execute(
        select(BATCH.c.batch_no, BATCH.c.tree_size, BATCH.c.root, BATCH.c.recorded_us)
        .where(BATCH.c.log_id == newest.log_id)
        .order_by(BATCH.c.batch_no.desc())
        .limit(1)
    ).first()
    if row is None:
        return Head(-1, newest.first, EMPTY_ROOT, None)
    return Head(row.batch_no, newest.first + row.tree_size, row.root, row.recorded_us)


def read_counts(connection: Connection) -> Counts:
    """Rows by kind, in one statement and so of one moment."""

    def others(kind: int) -> Any:
        # By the index that holds no events: see _NO_EVENTS.
        return (
            select(func.count())
            .select_from(ENTRY)
            .where(_OTHER, ENTRY.c.kind == kind)
            .scalar_subquery()
        )

    # seq has no gap, so what is of no other kind is an event: nobody need count those.
    ends = (
        select(BATCH.c.tree_size)
        .where(BATCH.c.log_id == LOG.c.log_id)
        .order_by(BATCH.c.batch_no.desc())
        .limit(1)
        .scalar_subquery()
    )
    sizes = select(ends.label("tree_size")).select_from(LOG).subquery()
    tree_size = select(func.sum(sizes.c.tree_size)).scalar_subquery()
    redeliveries = select(func.count()).select_from(REDELIVERY).scalar_subquery()
    total, conflicts, quarantined, administrative, redelivered = connection.execute(
        select(
            func.coalesce(tree_size, 0),
            others(CONFLICT),
            others(QUARANTINED),
            others(ADMINISTRATIVE),
            redeliveries,
        )
    ).one()
    events = int(total) - conflicts - quarantined - administrative
    return Counts(events, conflicts, quarantined, administrative, redelivered)
