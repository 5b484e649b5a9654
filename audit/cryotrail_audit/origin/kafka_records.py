"""What was recorded from which place in Kafka, for comparing it with what Kafka holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from cryotrail_audit.places import read_places
from cryotrail_audit.positions import read_furthest_position, read_position, read_skips
from cryotrail_audit.records import Position, Skip
from cryotrail_audit.store_connections import StoreConnections
from cryotrail_audit.tables import BATCH_PARTITION, ENTRY, REDELIVERY, TOPIC


class RecordedCopy(NamedTuple):
    """What the store has of one Kafka record."""

    incarnation: int
    kafka_offset: int
    seq: int
    """Place of its entry, or of the entry that it repeats."""
    is_redelivery: bool
    """Then the store has no key and headers of it, and of its value only what differs."""
    kafka_key: bytes | None
    kafka_headers: bytes | None
    raw: bytes | None
    """Sealed, where a quarantined record is."""
    kind: int
    """Of its entry, or of the entry that it repeats."""
    content_hash: bytes
    """Of this copy itself."""


class KafkaRecords(StoreConnections):
    """The records of one store by their place in Kafka; it is only read. Use it in ``with``."""

    def positions(self, topic_name: str) -> list[Position]:
        """How far each partition of a topic was ever read, by partition.

        That is where it stands, or, after a reset back, where it stood before.
        """
        with self._reading() as connection:
            parts = connection.execute(
                select(BATCH_PARTITION.c.part)
                .join(TOPIC, TOPIC.c.topic_id == BATCH_PARTITION.c.topic_id)
                .where(TOPIC.c.name == topic_name)
                .distinct()
            ).scalars()
            found = [read_position(connection, topic_name, part) for part in sorted(parts)]
            return [
                read_furthest_position(connection, position)
                for position in found
                if position is not None
            ]

    def skips(self, position: Position) -> list[Skip]:
        """See :meth:`AuditStore.skips`."""
        with self._reading() as connection:
            return read_skips(connection, position)

    def within(self, topic_id: int, part: int, first: int, last: int) -> Mapping[int, RecordedCopy]:
        """What was last recorded at the offsets from ``first`` to ``last``, by offset.

        Last, since an offset occurs again in each incarnation; offsets never recorded are absent.
        """
        with self._reading() as connection:
            return _within(connection, topic_id, part, first, last)

    def count_before(self, topic_id: int, part: int, offset: int) -> int:
        """How many recorded offsets lie before one."""
        with self._reading() as connection:
            return sum(
                connection.execute(
                    select(func.count(table.c.kafka_offset.distinct())).where(
                        table.c.topic_id == topic_id,
                        table.c.part == part,
                        table.c.kafka_offset < offset,
                        *conditions,
                    )
                ).scalar_one()
                for table, conditions in (
                    (ENTRY, (ENTRY.c.source_seq.is_(None),)),
                    (REDELIVERY, ()),
                )
            )


def _within(
    connection: Connection, topic_id: int, part: int, first: int, last: int
) -> dict[int, RecordedCopy]:
    def of(table: Any) -> Any:
        return (
            (table.c.topic_id == topic_id)
            & (table.c.part == part)
            & table.c.kafka_offset.between(first, last)
        )

    places = read_places(connection)
    entries = connection.execute(
        select(
            ENTRY.c.incarnation,
            ENTRY.c.kafka_offset,
            ENTRY.c.log_id,
            ENTRY.c.seq,
            ENTRY.c.kafka_key,
            ENTRY.c.kafka_headers,
            ENTRY.c.raw,
            ENTRY.c.kind,
            ENTRY.c.content_hash,
        ).where(of(ENTRY), ENTRY.c.source_seq.is_(None))
    )
    copies = [
        RecordedCopy(incarnation, offset, places.of(log_id, seq), False, *stored)
        for incarnation, offset, log_id, seq, *stored in entries
    ]
    again = connection.execute(
        select(
            REDELIVERY.c.incarnation,
            REDELIVERY.c.kafka_offset,
            REDELIVERY.c.seq,
            func.coalesce(REDELIVERY.c.raw, ENTRY.c.raw),
            ENTRY.c.kind,
            REDELIVERY.c.content_hash,
        ).where(
            of(REDELIVERY),
            places.named_by(REDELIVERY.c.seq),
        )
    )
    copies += [
        RecordedCopy(incarnation, offset, place, True, None, None, *stored)
        for incarnation, offset, place, *stored in again
    ]
    copies.sort(key=lambda copy: copy.incarnation)
    return {copy.kafka_offset: copy for copy in copies}
