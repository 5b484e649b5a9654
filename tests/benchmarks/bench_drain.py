"""What the recorder holds in memory while it drains a long backlog: printed after each tenth.

Run with ``python tests/benchmarks/bench_drain.py --rows 1000000``. The backlog lies on the embedded
Apache Kafka before a process of its own begins to record it. A million events take about 3 GB of
disk, in Kafka and in the store.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from kafka_fixtures import home_settings
from many_messages import many_messages
from postgres_server import PostgresServer
from recorded_kafka import publish

from cryotrail.embedded import broker
from cryotrail_audit.store import migrate
from cryotrail_producers.kafka_clients import KafkaConnection

_PUBLISH_ROWS = 50_000
"""Handed over at once: a future of each is held until Kafka has them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="events to drain")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        kafka = stack.enter_context(broker.running(home_settings(folder / "home")))
        messages = many_messages(options.rows)
        while group := list(islice(messages, _PUBLISH_ROWS)):
            publish(KafkaConnection(kafka.bootstrap), group)
        url = f"sqlite:///{folder / 'audit.sqlite3'}"
        if options.database == "postgresql":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            server = stack.enter_context(PostgresServer(home, {"shared_buffers": "512MB"}))
            url = server.url()
        migrate(url)
        script = Path(__file__).with_name("measured_recorder.py")
        command = [sys.executable, script, kafka.bootstrap, url]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        measured = json.loads(done.stdout)
    print(f"{'drained':>10}{'MiB held':>10}   {options.database}")
    for records, mib in measured["memory"]:
        print(f"{records:>10,}{mib:>10.1f}")
    cost = measured["costs"]
    print(
        f"peak {cost['peak_rss_mib']:.0f} MiB; {cost['client_us']:.1f} us CPU an event,"
        f" {cost['server_us']:.1f} on the server"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
