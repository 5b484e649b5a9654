"""What recording costs from Kafka to the commit, beside the bare insert of the same rows.

Run with ``make bench`` or ``python tests/benchmarks/bench_recorder.py --rows 200000``. The events
are those of the published cohort over and over under other ids (94 of 100 are telemetry chunks),
with the headers that the outbox sends, on the embedded Apache Kafka. A process of its own records
them; counted is what lies between the end of its first and of its last transaction, so neither
starting nor connecting is. The ceiling is one executemany (SQLite) or one COPY BINARY (PostgreSQL)
a batch, into a table with the primary key alone. Compare CPU, which another load on the machine
disturbs least: client is the recorder's process, server the store's PostgreSQL backend; the broker
is not counted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import psycopg
from bench_append import (
    BareInsert,
    Costs,
    Row,
    bare_copy,
    bare_executemany,
    measured,
)
from kafka_fixtures import home_settings
from many_messages import many_messages
from postgres_server import PostgresServer
from recorded_kafka import publish

from cryotrail.embedded import broker
from cryotrail_audit.records import IncomingRecord
from cryotrail_audit.store import migrate, open_store
from cryotrail_producers.kafka_clients import KafkaConnection

BATCH_ROWS = 5000
CEILING_ROWS = 50_000
"""Rows of the bare insert at most: they are held in memory."""


def recorded_rows(url: str) -> list[Row]:
    """The rows that were written, as many as the ceiling takes."""
    with closing(open_store(url)) as store:
        return [
            (entry.seq, IncomingRecord(*entry[6:-1]), entry.leaf_hash)
            for entries in store.entries(through_seq=CEILING_ROWS - 1, kinds=(0,))
            for entry in entries
        ]


def bare_sqlite_us(rows: Sequence[Row], folder: Path, source: str) -> float:
    """CPU a row of one executemany a batch, into a file that is set up as the store's."""
    with closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as store:
        table = store.execute("select sql from sqlite_master where name = 'entry'").fetchone()[0]
    with closing(sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)) as bare:
        for pragma in ("page_size = 8192", "journal_mode = wal", "synchronous = full",
                       "wal_autocheckpoint = 4000"):  # fmt: skip
            bare.execute(f"pragma {pragma}")
        bare.execute(table)
        return _cpu_us(rows, partial(bare_executemany, bare), backend=None)


def bare_postgresql_us(rows: Sequence[Row], url: str) -> float:
    """CPU a row, client and server, of one COPY BINARY a batch."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as bare:
        bare.execute("create table bare (like audit.entry, primary key (log_id, seq))")
        return _cpu_us(rows, partial(bare_copy, bare), backend=bare.info.backend_pid)


def _cpu_us(rows: Sequence[Row], insert: BareInsert, backend: int | None) -> float:
    costs = Costs()
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        with measured(costs, len(batch), backend):
            insert(batch)
    return costs.cpu_us


def report(database: str, cost: dict[str, float], bare_us: float) -> None:
    """One line of the table."""
    cpu_us = cost["client_us"] + cost["server_us"]
    print(
        f"{database:<11}{cost['recorded']:>8.0f}{cost['batch']:>7.0f}{cost['rows_per_s']:>9,.0f}"
        f"{cost['client_us']:>8.1f}{cost['server_us']:>8.1f}{cpu_us:>8.1f}{1e6 / cpu_us:>12,.0f}"
        f"{bare_us:>9.1f}{cpu_us / bare_us:>7.2f}"
        f"{cost['first_rss_mib']:>10.0f}{cost['peak_rss_mib']:>6.0f}",
        flush=True,
    )


def in_a_process(bootstrap: str, url: str) -> dict[str, float]:
    """``measured_recorder.py`` in a process that imports nothing for the tests' sake."""
    migrate(url)
    script = Path(__file__).with_name("measured_recorder.py")
    command = [sys.executable, script, bootstrap, url]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000, help="events to record")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="one of them only")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        kafka = stack.enter_context(broker.running(home_settings(folder / "home")))
        publish(KafkaConnection(kafka.bootstrap), many_messages(options.rows))
        print(
            f"{'record':<11}{'events':>8}{'batch':>7}{'rows/s':>9}{'client':>8}{'server':>8}"
            f"{'CPU us':>8}{'rows/s/core':>12}{'bare us':>9}{'ratio':>7}"
            f"{'first MiB':>10}{'peak':>6}"
        )
        if options.database != "postgresql":
            url = f"sqlite:///{folder / 'audit.sqlite3'}"
            cost = in_a_process(kafka.bootstrap, url)
            report("sqlite", cost, bare_sqlite_us(recorded_rows(url), folder, url))
        if options.database != "sqlite":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            server = stack.enter_context(PostgresServer(home, {"shared_buffers": "512MB"}))
            cost = in_a_process(kafka.bootstrap, server.url())
            rows = recorded_rows(server.url())
            report("postgresql", cost, bare_postgresql_us(rows, server.url()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
