"""The ceiling that ``bench_recorder.py`` measures beside it: ``measured_ceiling.py BOOTSTRAP URL``.

One process that reads the same records with the same client and settings, decodes them and writes
the same rows into a table with the same columns, primary key and indexes, one transaction a poll.

*Decoding* here is the frame, the Avro body, and the values of the row's columns: identities as
bytes, delivery numbers from the headers, the headers in one byte string, the SHA-256 of the body.
It is what nobody can do without who wants these rows, and nothing else. Left out is every guard:
whether the topics still are those of the opening, bytes behind the body, values that no event may
hold, the key against the procedure, flags, offsets, claims and positions, the look-up of known
events, the number within the procedure in the store (here it is counted in memory), the leaf and the
tree, CHECK and triggers. The column ``leaf_hash`` gets 32 zeros.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
from fastavro import schemaless_reader
from kafka.structs import TopicPartition
from process_costs import Mark, costs_between

from cryotrail_audit.framing import FRAMING, HASH_LENGTH, pack_head, pack_tail
from cryotrail_audit.records import EVENT, Entry, IncomingRecord
from cryotrail_consumers.decoding.headers import pack_headers
from cryotrail_consumers.reading.kafka_source import BATCH_RECORDS, FETCH
from cryotrail_consumers.recording.garbage import rare_collections
from cryotrail_producers.kafka_clients import KafkaConnection, consumer
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.delivery import CE_PROCEDURE_SEQ, CE_PRODUCER_ID, CE_PRODUCER_SEQ
from cryotrail_schemas.topics import EVENT_TOPICS, PROBE_TELEMETRY, PROCEDURE_EVENTS

NO_LEAF = bytes(32)
COLUMN_COUNT = len(Entry._fields).to_bytes(2, "big")

Row = tuple[tuple[int, int, int, int, int, int], IncomingRecord]
"""``log_id`` to ``recorded_us``, and the rest but ``leaf_hash``."""

Insert = Callable[[Sequence[Row]], None]


class BareDecoder:
    """From records to rows, without a question asked."""

    def __init__(self) -> None:
        self._seq = 0
        self._entry_nos: Counter[bytes] = Counter()
        self._schemas = {
            known.fingerprint: (known.plain, known.name, known.sha256) for known in catalog()
        }
        self._topic_ids = {PROCEDURE_EVENTS: 1, PROBE_TELEMETRY: 2}
        self._producers: dict[bytes, str] = {}

    def rows(self, polled: dict[Any, list[Any]]) -> list[Row]:
        recorded_us = time.time_ns() // 1000
        rows = []
        for (topic, part), records in polled.items():
            topic_id = self._topic_ids[topic]
            for record in records:
                value, headers = record.value, record.headers
                plain_schema, event_type, schema_sha256 = self._schemas[value[2:10]]
                body = value[10:]
                event = schemaless_reader(BytesIO(body), plain_schema, None)["header"]
                procedure_id = bytes.fromhex(event["procedure_id"].replace("-", ""))
                self._entry_nos[procedure_id] += 1
                given = dict(headers)
                producer = given[CE_PRODUCER_ID]
                row = IncomingRecord(
                    bytes.fromhex(event["event_id"].replace("-", "")),
                    event_type,
                    procedure_id,
                    event["occurred_at"],
                    self._producers.setdefault(producer, producer.decode()),
                    int(given[CE_PRODUCER_SEQ]),
                    int(given[CE_PROCEDURE_SEQ]),
                    topic_id,
                    part,
                    0,
                    record.offset,
                    record.timestamp,
                    record.key,
                    pack_headers(headers),
                    schema_sha256,
                    None,
                    None,
                    None,
                    None,
                    None,
                    value,
                    sha256(body).digest(),
                )
                entry_no = self._entry_nos[procedure_id]
                rows.append(((1, FRAMING, EVENT, entry_no, self._seq, recorded_us), row))
                self._seq += 1
        return rows


def drain(bootstrap: str, insert: Insert, backend: int | None) -> list[Mark]:
    """Read all that Kafka holds and insert it, one transaction a poll."""
    marks: list[Mark] = []
    decoder = BareDecoder()
    client = consumer(
        KafkaConnection(bootstrap),
        max_poll_records=BATCH_RECORDS,
        isolation_level="read_committed",
        **FETCH,
    )
    with closing(client), rare_collections():
        partitions = [
            TopicPartition(topic, partition)
            for topic in EVENT_TOPICS
            for partition in client.partitions_for_topic(topic)
        ]
        client.assign(partitions)
        for partition in partitions:
            client.seek(partition, 0)
        wanted, done = sum(client.end_offsets(partitions).values()), 0
        while done < wanted:
            rows = decoder.rows(client.poll(timeout_ms=500))
            if rows:
                insert(rows)
                done += len(rows)
                marks.append(Mark.now(done, backend))
            del rows  # not to be held while the next are fetched
    return marks


def sqlite_table(url: str, stack: ExitStack) -> Insert:
    """A file set up as the store's, whose table has the same columns, key and indexes."""
    store = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as source:
        columns = source.execute("select name, type, \"notnull\" from pragma_table_info('entry')")
        described = [f"{name} {kind}{' not null' * needed}" for name, kind, needed in columns]
        indexes = source.execute(
            "select sql from sqlite_master where tbl_name = 'entry' and type = 'index'"
            " and sql is not null"
        ).fetchall()
    file = Path(store).with_name(f"{Path(store).stem}-bare.sqlite3")
    bare = stack.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
    for pragma in ("page_size = 8192", "journal_mode = wal", "synchronous = full",
                   "wal_autocheckpoint = 4000", "cache_size = -16384"):  # fmt: skip
        bare.execute(f"pragma {pragma}")
    bare.execute(f"create table entry ({', '.join(described)}, primary key (log_id, seq)) strict")
    for (sql,) in indexes:
        bare.execute(sql)
    statement = f"insert into entry values ({', '.join('?' * len(Entry._fields))})"

    def insert(rows: Sequence[Row]) -> None:
        bare.execute("begin immediate")
        bare.executemany(statement, (stamp + record + (NO_LEAF,) for stamp, record in rows))
        bare.execute("commit")

    return insert


def postgresql_table(url: str, stack: ExitStack) -> tuple[Insert, int]:
    """A table with the same columns, key and indexes, and who writes it on the server."""
    connection = stack.enter_context(psycopg.connect(url.replace("+psycopg", ""), autocommit=True))
    connection.execute("drop table if exists bare")
    connection.execute("create table bare (like audit.entry including indexes including storage)")

    def insert(rows: Sequence[Row]) -> None:
        with connection.cursor().copy("copy bare from stdin (format binary)") as copy:
            copy.write(b"".join(_packed(rows)))

    return insert, connection.info.backend_pid


def _packed(rows: Iterable[Row]) -> list[bytes]:
    parts = [b"PGCOPY\n\xff\r\n\x00" + bytes(8)]
    for (log_id, _framing, kind, entry_no, seq, recorded_us), record in rows:
        head = pack_head(log_id, kind, entry_no, seq, recorded_us)
        parts += (COLUMN_COUNT, head, pack_tail(record), HASH_LENGTH, NO_LEAF)
    parts.append(b"\xff\xff")
    return parts


def main(bootstrap: str, url: str) -> None:
    """Print what it took as one JSON object."""
    with ExitStack() as stack:
        if url.startswith("sqlite"):
            marks = drain(bootstrap, sqlite_table(url, stack), None)
        else:
            marks = drain(bootstrap, *postgresql_table(url, stack))
    print(json.dumps({"costs": costs_between(marks)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
