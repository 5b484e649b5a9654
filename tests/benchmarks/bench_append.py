"""What an append costs: the store with all its guards beside the bare insert of the same rows.

Run with ``make bench`` or ``python tests/benchmarks/bench_append.py``. Rows have 330-byte bodies
and about 500 bytes of headers. On PostgreSQL the store has its roles, and the user is the writer;
on SQLite the connection has its authorizer. The ceiling is one executemany (SQLite) or one COPY
BINARY of rows packed by us (PostgreSQL) into a table with the primary key alone, without hashes,
look-ups or guards, in alternation with the store's appends of the same rows. Each figure is the
median of some repetitions, each of many transactions: what a checkpoint of the database costs now
and then is in it. Compare CPU, which another load on the machine disturbs least: client is this
process, server the store's PostgreSQL backend.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import psycopg
from audit_records import CLUSTER, OWNER, TOPIC_NAME, TOPIC_UUID, framed, progress, record
from postgres_server import PostgresServer
from sqlalchemy import make_url

from cryotrail_audit.framing import HASH_LENGTH, leaf_hash, pack_head, pack_tail
from cryotrail_audit.records import EVENT, Entry, IncomingBatch, IncomingRecord
from cryotrail_audit.roles.applied import apply_roles
from cryotrail_audit.store import AuditStore, migrate, open_store
from cryotrail_schemas.identifiers import new_event_id

PARTITIONS = 12
PROCEDURES = 40
BODY_BYTES = 330
HEADERS = framed(
    ("ce_specversion", b"1.0"),
    ("ce_id", b"0190d2a0-7b1e-7000-8000-000000000000"),
    ("ce_source", b"urn:cryotrail:operating-room-2"),
    ("ce_type", b"cryotrail.events.ProbeTelemetryChunk"),
    ("ce_time", b"2026-11-22T10:24:00.000000Z"),
    ("content-type", b"application/avro"),
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("ce_producerid", b"3f0c8e1e-5a52-4b7c-9e43-0f2f5a0f6b11"),
    ("ce_producerseq", b"123456"),
    ("ce_procedureseq", b"1234"),
    ("site-routing", b"r" * 72),
)


class Cost(NamedTuple):
    """Seconds of one measured block."""

    wall: float
    client: float
    server: float


@dataclass
class Costs:
    """Blocks of one method, and the rows that they wrote."""

    rows: int = 0
    blocks: list[Cost] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Rows a second by the clock on the wall."""
        return self.rows / sum(block.wall for block in self.blocks)

    @property
    def client_us(self) -> float:
        """CPU of this process a row."""
        return sum(block.client for block in self.blocks) / self.rows * 1e6

    @property
    def server_us(self) -> float:
        """CPU of the PostgreSQL backend a row."""
        return sum(block.server for block in self.blocks) / self.rows * 1e6

    @property
    def cpu_us(self) -> float:
        """CPU a row, both sides."""
        return self.client_us + self.server_us


class Pair(NamedTuple):
    """One repetition: the store's appends, and the bare inserts between them."""

    guarded: Costs
    bare: Costs


class Extent(NamedTuple):
    """How much is measured."""

    rows: int
    """Of each repetition."""
    repetitions: int


def cpu_seconds(pid: int | None) -> float:
    """Time that a process was on a CPU, from /proc, to the nanosecond; 0 for none."""
    if pid is None:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@contextmanager
def measured(costs: Costs, rows: int, backend: int | None) -> Iterator[None]:
    """Charge the block to ``costs``."""
    server, client, wall = cpu_seconds(backend), time.process_time(), time.perf_counter()
    yield
    costs.blocks.append(
        Cost(
            time.perf_counter() - wall,
            time.process_time() - client,
            cpu_seconds(backend) - server,
        )
    )
    costs.rows += rows


def make_records(rng: random.Random, first_offset: int, count: int) -> list[IncomingRecord]:
    """Records with fresh ids, partition by partition in offset order."""
    records = []
    for number in range(count):
        procedure = rng.randrange(PROCEDURES)
        body = rng.randbytes(BODY_BYTES)
        records.append(
            record(
                first_offset + number,
                event_id=new_event_id().bytes,
                procedure_id=sha256(b"procedure %d" % procedure).digest()[:16],
                part=procedure % PARTITIONS,
                kafka_headers=HEADERS,
                raw=b"\xc3\x01" + bytes(8) + body,
                content_hash=sha256(body).digest(),
            )
        )
    return sorted(records, key=lambda item: (item.part or 0, item.kafka_offset or 0))


def make_batch(records: Sequence[IncomingRecord], epochs: dict[int, int]) -> IncomingBatch:
    """The batch that the recorder would hand over."""
    by_part: dict[int, list[IncomingRecord]] = {}
    for item in records:
        by_part.setdefault(item.part or 0, []).append(item)
    return IncomingBatch(
        [(EVENT, item) for item in records],
        [progress(items, epochs[part]) for part, items in by_part.items()],
        (),
        OWNER,
    )


Row = tuple[int, IncomingRecord, bytes]
"""seq, record and leaf hash."""

BareInsert = Callable[[Sequence[Row]], None]


def rows_of(records: Sequence[IncomingRecord], first_seq: int) -> list[Row]:
    """The same rows for the bare insert, hashed beforehand."""
    return [
        (seq, item, leaf_hash(pack_head(1, EVENT, seq + 1, seq, 0), pack_tail(item)))
        for seq, item in enumerate(records, first_seq)
    ]


def bare_executemany(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """One transaction with one executemany."""
    insert = f"insert into entry values ({', '.join('?' * len(Entry._fields))})"
    connection.execute("begin immediate")
    connection.executemany(
        insert, ((1, 1, EVENT, seq + 1, seq, 0, *item, leaf) for seq, item, leaf in rows)
    )
    connection.execute("commit")


def bare_copy(connection: psycopg.Connection, rows: Sequence[Row]) -> None:
    """One COPY BINARY of rows packed by us."""
    count = len(Entry._fields).to_bytes(2, "big")
    parts = [b"PGCOPY\n\xff\r\n\x00" + bytes(8)]
    for seq, item, leaf in rows:
        parts += (count, pack_head(1, EVENT, seq + 1, seq, 0), pack_tail(item), HASH_LENGTH, leaf)
    parts.append(b"\xff\xff")
    with connection.cursor().copy("copy bare from stdin (format binary)") as copy:
        copy.write(b"".join(parts))


def measure(
    store: AuditStore,
    batch_rows: int,
    extent: Extent,
    backend_of: Callable[[], int | None],
    bare_insert: BareInsert,
    bare_backend: int | None,
) -> list[Pair]:
    """Append batches, each followed by the bare insert of the same rows; once a repetition."""
    rng = random.Random(batch_rows)
    topic_id = store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
    epochs = store.claim(OWNER, topic_id, range(PARTITIONS))
    pairs = []
    offset = store.head().tree_size
    backend = backend_of()
    for _repetition in range(extent.repetitions):
        pair = Pair(Costs(), Costs())
        for number in range(-1, max(1, extent.rows // batch_rows)):
            records = make_records(rng, offset, batch_rows)
            offset += batch_rows
            batch, rows = make_batch(records, epochs), rows_of(records, offset)
            # The first batch warms caches and prepared statements and is not counted.
            guarded, bare = pair if number >= 0 else Pair(Costs(), Costs())
            with measured(guarded, batch_rows, backend):
                outcome = store.append(batch)
            assert outcome.recorded == batch_rows, outcome
            with measured(bare, batch_rows, bare_backend):
                bare_insert(rows)
        pairs.append(pair)
    return pairs


def bench_sqlite(folder: Path, batch_rows: int, extent: Extent) -> list[Pair]:
    """The store on SQLite beside one executemany in its own file, set up alike."""
    url = f"sqlite:///{folder / f'audit-{batch_rows}.sqlite3'}"
    migrate(url)
    with closing(sqlite3.connect(folder / f"bare-{batch_rows}.sqlite3")) as bare:
        bare.isolation_level = None
        for pragma in ("page_size = 8192", "journal_mode = wal", "synchronous = full",
                       "wal_autocheckpoint = 4000"):  # fmt: skip
            bare.execute(f"pragma {pragma}")
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as source:
            sql = source.execute("select sql from sqlite_master where name = 'entry'").fetchone()
        bare.execute(sql[0])
        with closing(open_store(url)) as store:
            insert = partial(bare_executemany, bare)
            return measure(store, batch_rows, extent, lambda: None, insert, None)


def bench_postgresql(server: PostgresServer, batch_rows: int, extent: Extent) -> list[Pair]:
    """The store on PostgreSQL, as its writer, beside one COPY BINARY of packed rows."""
    name = f"bench_{batch_rows}"
    with server.connect() as admin:
        admin.execute(f"create database {name}".encode())
    migrate(server.url(name))
    writer = apply_roles(server.url(name), f"audit_{name}").names.writer
    with server.connect(name) as admin:
        admin.execute(f"alter role {writer} login".encode())
    url = make_url(server.url(name)).set(username=writer).render_as_string()
    with server.connect(name) as bare, server.connect(name) as admin:
        bare.execute("create table bare (like audit.entry, primary key (log_id, seq))")

        def backend_of() -> int:
            row = admin.execute(
                "select pid from pg_stat_activity"
                " where application_name = 'cryotrail audit' and datname = %s",
                [name],
            ).fetchone()
            assert row is not None
            pid: int = row[0]
            return pid

        with closing(open_store(url)) as store:
            insert = partial(bare_copy, bare)
            return measure(store, batch_rows, extent, backend_of, insert, bare.info.backend_pid)


def report(database: str, batch_rows: int, pairs: Sequence[Pair]) -> None:
    """One line of the table."""

    def middle(of: Callable[[Pair], float]) -> float:
        return statistics.median(map(of, pairs))

    cpu_us = middle(lambda pair: pair.guarded.cpu_us)
    slowest = max(block.wall for pair in pairs for block in pair.guarded.blocks)
    print(
        f"{database:<11}{batch_rows:>6}{middle(lambda pair: pair.guarded.rate):>11,.0f}"
        f"{middle(lambda pair: pair.guarded.client_us):>9.1f}"
        f"{middle(lambda pair: pair.guarded.server_us):>9.1f}"
        f"{cpu_us:>9.1f}{1e6 / cpu_us:>11,.0f}"
        f"{middle(lambda pair: pair.bare.cpu_us):>9.1f}"
        f"{middle(lambda pair: pair.guarded.cpu_us / pair.bare.cpu_us):>7.2f}{slowest * 1e3:>10.0f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000, help="rows of each repetition")
    parser.add_argument("--repetitions", type=int, default=3, help="of each line")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="one of them only")
    options = parser.parse_args(arguments)
    extent = Extent(options.rows, options.repetitions)
    print(
        f"{'append':<11}{'batch':>6}{'rows/s':>11}{'client':>9}{'server':>9}{'CPU us':>9}"
        f"{'rows/s/core':>11}{'bare us':>9}{'ratio':>7}{'worst ms':>10}"
    )
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
    try:
        for batch_rows in (5000, 500):
            if options.database != "postgresql":
                report("sqlite", batch_rows, bench_sqlite(folder, batch_rows, extent))
        if options.database != "sqlite":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
            try:
                with PostgresServer(home, {"shared_buffers": "512MB"}) as server:
                    for batch_rows in (5000, 500):
                        pairs = bench_postgresql(server, batch_rows, extent)
                        report("postgresql", batch_rows, pairs)
            finally:
                shutil.rmtree(home, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak_mib:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
