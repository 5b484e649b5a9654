"""What recording costs from Kafka to the commit, beside its ceiling, in alternating runs.

Run with ``make bench`` or ``python tests/benchmarks/bench_recorder.py --rows 200000``. The events
are those of the published cohort over and over under other ids (94 of 100 are telemetry chunks),
with the headers that the outbox sends, on the embedded Apache Kafka. ``recorder`` is a process that
records them with every guard; ``ceiling`` is one that reads the same records with the same client,
decodes them and writes the same rows by packed COPY BINARY (SQLite: executemany) into a table with
the same columns, primary key and indexes, without look-up, leaf, CHECK or trigger. What its decoding
is, and what it leaves out, ``measured_ceiling.py`` says.

They run in turn, each into a store of its own; printed is the run with the median CPU of each.
Counted is what lies between the end of the first and of the last transaction. Compare CPU, which
another load on the machine disturbs least: client is the process, server its PostgreSQL backend; the
broker is not counted. ``share`` is the recorder's events per CPU second over the ceiling's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from kafka_fixtures import home_settings
from many_messages import many_messages
from postgres_server import PostgresServer
from recorded_kafka import publish

from cryotrail.embedded import broker
from cryotrail_audit.store import migrate
from cryotrail_producers.kafka_clients import KafkaConnection

LEFT_OUT = (
    "the ceiling decodes the frame, the Avro body and the row's columns; it has no look-up, leaf,"
    " tree, CHECK, trigger, claim, position, nor any check of values, keys and topics"
)

Cost = dict[str, float]


def cpu_us(cost: Cost) -> float:
    """CPU microseconds a record, client and server."""
    return cost["client_us"] + cost["server_us"]


def median_run(costs: Sequence[Cost]) -> Cost:
    """The run in the middle by CPU."""
    return sorted(costs, key=cpu_us)[(len(costs) - 1) // 2]


def report(database: str, recorder: Sequence[Cost], ceiling: Sequence[Cost]) -> None:
    """Two lines of the table."""
    share = statistics.median(
        cpu_us(above) / cpu_us(one) for one, above in zip(recorder, ceiling, strict=True)
    )
    for name, costs in (("recorder", recorder), ("ceiling", ceiling)):
        cost = median_run(costs)
        print(
            f"{database:<11}{name:<9}{cost['recorded']:>8.0f}{cost['batch']:>7.0f}"
            f"{cost['rows_per_s']:>9,.0f}{cost['client_us']:>8.1f}{cost['server_us']:>8.1f}"
            f"{cpu_us(cost):>8.1f}{1e6 / cpu_us(cost):>12,.0f}"
            f"{share if name == 'recorder' else 1:>7.2f}"
            f"{cost['first_rss_mib']:>10.0f}{cost['peak_rss_mib']:>6.0f}",
            flush=True,
        )


def in_a_process(script: str, bootstrap: str, url: str) -> Cost:
    """A script beside this one in a process that imports nothing for the tests' sake."""
    command = [sys.executable, Path(__file__).with_name(script), bootstrap, url]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    cost: Cost = json.loads(done.stdout)["costs"]
    return cost


def alternate(bootstrap: str, rounds: int, fresh_url: Callable[[], str], database: str) -> None:
    """Recorder and ceiling in turn, and what they took."""
    recorder, ceiling = [], []
    for _ in range(rounds):
        url = fresh_url()
        migrate(url)
        recorder.append(in_a_process("measured_recorder.py", bootstrap, url))
        ceiling.append(in_a_process("measured_ceiling.py", bootstrap, url))
    report(database, recorder, ceiling)


def sqlite_urls(folder: Path) -> Iterator[str]:
    """Files one after another; the earlier ones are removed."""
    for number in count():
        for file in folder.glob("audit*"):
            file.unlink()
        yield f"sqlite:///{folder / f'audit-{number}.sqlite3'}"


def postgresql_urls(server: PostgresServer) -> Iterator[str]:
    """The database ``bench``, dropped and created anew."""
    while True:
        with server.connect() as admin:
            admin.execute("drop database if exists bench with (force)")
            admin.execute("create database bench")
        yield server.url("bench")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000, help="events to record")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="one of them only")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        kafka = stack.enter_context(broker.running(home_settings(folder / "home")))
        publish(KafkaConnection(kafka.bootstrap), many_messages(options.rows))
        print(LEFT_OUT)
        print(
            f"{'record':<20}{'events':>8}{'batch':>7}{'rows/s':>9}{'client':>8}{'server':>8}"
            f"{'CPU us':>8}{'rows/s/core':>12}{'share':>7}{'first MiB':>10}{'peak':>6}"
        )
        if options.database != "postgresql":
            urls = sqlite_urls(folder)
            alternate(kafka.bootstrap, options.rounds, lambda: next(urls), "sqlite")
        if options.database != "sqlite":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            server = stack.enter_context(PostgresServer(home, {"shared_buffers": "512MB"}))
            urls = postgresql_urls(server)
            alternate(kafka.bootstrap, options.rounds, lambda: next(urls), "postgresql")
    return 0


if __name__ == "__main__":
    sys.exit(main())
