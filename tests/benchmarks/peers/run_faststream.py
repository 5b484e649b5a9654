"""The faststream peer: ``run_faststream.py SETTINGS``, until it is ended.

A batch subscriber on confluent-kafka. The framework has no sink of its own; the handler writes with
psycopg as PostgreSQL's documentation loads in bulk: COPY into a temporary table, then one INSERT
with ON CONFLICT DO NOTHING, so that a batch may come twice. A batch that failed is delivered again
(NACK_ON_ERROR); the framework's default acknowledges before the handler runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

import psycopg
from avro_rows import COLUMNS, AvroRows
from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker, KafkaMessage

COPY = f"copy incoming ({', '.join(COLUMNS)}) from stdin"


def application(given: dict) -> FastStream:
    """The service: its broker, its handler, its connection."""
    broker = KafkaBroker(
        given["bootstrap"], allow_auto_create_topics=False, log_level=logging.DEBUG
    )
    rows = AvroRows(Path(given["schemas"]))
    database = psycopg.connect(
        host="127.0.0.1", port=given["port"], dbname=given["database"], user="postgres"
    )
    with database.transaction():
        database.execute(
            "create temporary table incoming (like event including defaults) on commit delete rows"
        )
    database.commit()

    @broker.subscriber(
        *given["topics"],
        batch=True,
        max_records=5000,
        group_id=given["group"],
        group_instance_id="one",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    def record(message: KafkaMessage) -> None:
        with database.transaction(), database.cursor() as cursor:
            with cursor.copy(COPY) as copy:
                for one in message.raw_message:
                    place = (one.topic(), one.partition(), one.offset(), one.timestamp()[1])
                    copy.write_row(rows.row(one.value(), one.headers(), *place))
            cursor.execute("insert into event select * from incoming on conflict do nothing")

    return FastStream(broker)


if __name__ == "__main__":
    asyncio.run(application(json.loads(sys.argv[1])).run())
