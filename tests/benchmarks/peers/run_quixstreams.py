"""The quixstreams peer: ``run_quixstreams.py SETTINGS``, until it is ended.

Its PostgreSQL sink with upsert by the event id. A checkpoint, hence a transaction, is taken every
5,000 messages, as large as the recorder's batches, and at latest every second.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from avro_rows import COLUMNS, AvroRows
from quixstreams import Application, message_context
from quixstreams.sinks.community.postgresql import PostgreSQLSink


def as_row(rows: AvroRows, value: bytes, _key: object, timestamp: int, headers: Any) -> Any:
    """One message as the sink's dictionary."""
    place = message_context()
    row = rows.row(value, headers, place.topic, place.partition, place.offset, timestamp)
    return dict(zip(COLUMNS, row, strict=True))


def main() -> None:
    """Run the application."""
    given = json.loads(sys.argv[1])
    application = Application(
        broker_address=given["bootstrap"],
        consumer_group=given["group"],
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_every=5000,
        commit_interval=1.0,
        consumer_extra_config={"group.instance.id": "one"},
        loglevel="WARNING",
    )
    sink = PostgreSQLSink(
        host="127.0.0.1",
        port=given["port"],
        dbname=given["database"],
        user="postgres",
        password="",
        table_name="event",
        schema_auto_update=False,
        primary_key_columns="event_id",
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    rows = AvroRows(Path(given["schemas"]))
    for name in given["topics"]:
        topic = application.topic(name, key_deserializer="bytes", value_deserializer="bytes")
        frame = application.dataframe(topic)
        frame = frame.apply(partial(as_row, rows), metadata=True)
        frame.sink(sink)
    application.run()


if __name__ == "__main__":
    main()
