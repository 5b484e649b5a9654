"""Where partitions stand, how far they were ever read, and what resets left unread."""

from __future__ import annotations

import json
from operator import eq
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from cryotrail_audit.records import POSITION_RESET, Position, Skip
from cryotrail_audit.tables import BATCH_PARTITION, ENTRY, REDELIVERY, TOPIC


def read_position(connection: Connection, topic_name: str, part: int) -> Position | None:
    """The newest position of a partition, over all topics of the name."""
    newest: Any = None
    for topic in connection.execute(select(TOPIC).where(TOPIC.c.name == topic_name)):
        row = connection.execute(
            select(BATCH_PARTITION)
            .where(BATCH_PARTITION.c.topic_id == topic.topic_id, BATCH_PARTITION.c.part == part)
            .order_by(
                BATCH_PARTITION.c.log_id.desc(),
                BATCH_PARTITION.c.batch_no.desc(),
                BATCH_PARTITION.c.incarnation.desc(),
            )
            .limit(1)
        ).first()
        if row is not None and (
            newest is None or (row.log_id, row.batch_no) > (newest.log_id, newest.batch_no)
        ):
            newest, newest_topic = row, topic
    if newest is None:
        return None
    return Position(
        topic_id=newest.topic_id,
        topic_uuid=UUID(bytes=newest_topic.topic_uuid),
        cluster_id=newest_topic.cluster_id,
        part=part,
        incarnation=newest.incarnation,
        next_offset=newest.next_offset,
        last_record_hash=newest.last_record_hash,
    )


def read_furthest_position(connection: Connection, position: Position) -> Position:
    """The position as far as its incarnation was ever read: ahead of it after a reset back."""
    place = (position.topic_id, position.part, position.incarnation)
    last = -1
    # Each repeats the condition of the index that it reads the end of, and nothing else.
    for table, of_kafka in (
        (ENTRY, (ENTRY.c.source_seq.is_(None), ENTRY.c.kafka_offset.is_not(None))),
        (REDELIVERY, ()),
    ):
        columns = (table.c.topic_id, table.c.part, table.c.incarnation)
        found = connection.execute(
            select(table.c.kafka_offset)
            .where(*map(eq, columns, place), *of_kafka)
            .order_by(table.c.kafka_offset.desc())
            .limit(1)
        ).scalar()
        last = max(last, -1 if found is None else found)
    if last < position.next_offset:
        return position
    last_hash = connection.execute(
        select(BATCH_PARTITION.c.last_record_hash)
        .where(
            BATCH_PARTITION.c.topic_id == place[0],
            BATCH_PARTITION.c.part == place[1],
            BATCH_PARTITION.c.incarnation == place[2],
            BATCH_PARTITION.c.next_offset == last + 1,
        )
        .order_by(BATCH_PARTITION.c.log_id.desc(), BATCH_PARTITION.c.batch_no.desc())
        .limit(1)
    ).scalar()
    return position._replace(next_offset=last + 1, last_record_hash=last_hash)


def read_incarnation_begin(connection: Connection, position: Position) -> int:
    """The first offset that was looked at in the incarnation of a position."""
    begin: int | None = connection.execute(
        select(func.min(BATCH_PARTITION.c.first_offset)).where(
            BATCH_PARTITION.c.topic_id == position.topic_id,
            BATCH_PARTITION.c.part == position.part,
            BATCH_PARTITION.c.incarnation == position.incarnation,
        )
    ).scalar()
    return begin or 0


def read_skips(connection: Connection, position: Position) -> list[Skip]:
    """What resets left unread in the incarnation of a position, in the order of the log."""
    said = connection.execute(
        select(ENTRY.c.raw)
        # A literal, as in the condition of the index that holds these entries alone.
        .where(text("kind = 3"), ENTRY.c.event_type == POSITION_RESET)
        .order_by(ENTRY.c.log_id, ENTRY.c.seq)
    ).scalars()
    place = (position.topic_id, position.part, position.incarnation)
    return [
        Skip(reset["from_offset"], reset["to_offset"])
        for reset in map(json.loads, said)
        if reset["unread_count"]
        and (reset["topic_id"], reset["partition"], reset["incarnation"]) == place
    ]
