"""From ``publish()`` to the record, with many publishers at once for a while.

Run with ``make bench-room`` or ``python tests/benchmarks/bench_room.py --publishers 50 --seconds
600``. Each publisher is a process with an outbox and a sender of its own, and gives 20 procedure
events a second and one telemetry chunk a second of each of its probes (``--telemetry-hz 10``: ten).
One embedded Apache Kafka, one ``cryotrail record`` into PostgreSQL (``--database sqlite``: SQLite).

``recorded`` is the time of the entry in the store less the time just before ``publish()`` was
called, on the one clock of this machine; an entry's time is that of its transaction, which commits
some milliseconds later. Telemetry stands apart: its outbox is synced every second, and a chunk is
sent only once synced. At the end all is accounted for: every event published is recorded exactly
once, else the exit code is 1. CPU is given in percent of one processor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from kafka_fixtures import home_environment, home_settings
from postgres_server import PostgresServer
from process_costs import cpu_seconds, rss_mib
from room_publisher import Room

from cryotrail.embedded import broker
from cryotrail_audit.store import migrate, open_store

_START_S = 2.0
_START_A_PUBLISHER_S = 0.7
_SETTLE_S = 120.0
"""How long recording may go on after the last event."""


def percentiles(name: str, spans_ms: Sequence[float]) -> str:
    """One line of the report."""
    if not spans_ms:
        return f"{name:<28}{0:>9}"
    ordered = sorted(spans_ms)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    return (
        f"{name:<28}{len(ordered):>9,}{at(0.5):>10.1f}{at(0.95):>10.1f}{at(0.99):>10.1f}"
        f"{ordered[-1]:>10.1f}"
    )


def descendants(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def cpu_of(pids: Iterable[int]) -> float:
    """What processes have used; those that have ended count for nothing."""
    total = 0.0
    for pid in pids:
        try:
            total += cpu_seconds(pid)
        except FileNotFoundError:
            continue
    return total


def recorded_count(url: str) -> int:
    """Events in the store."""
    with closing(open_store(url)) as store:
        return store.counts().events


def recorded_times(url: str) -> dict[str, int]:
    """When each event was recorded, by its id."""
    with closing(open_store(url)) as store:
        return {
            entry.event_id.hex(): entry.recorded_us
            for entries in store.entries(kinds=(0,))
            for entry in entries
        }


def settled(url: str, published: int) -> None:
    """Wait until as many are recorded as were published, or until it takes too long."""
    deadline = time.monotonic() + _SETTLE_S
    while recorded_count(url) < published and time.monotonic() < deadline:
        time.sleep(0.5)


def report(said: Sequence[dict[str, Any]], url: str) -> int:
    """The latencies and the accounting; returns how many are missing or too many."""
    times = recorded_times(url)
    print(f"{'milliseconds':<28}{'n':>9}{'p50':>10}{'p95':>10}{'p99':>10}{'max':>10}")
    published: set[str] = set()
    for what, name in (("event", "procedure events"), ("chunk", "telemetry chunks")):
        given = [one for room in said for one in room[what]]
        published |= {event_id for event_id, _, _ in given}
        spans = [(times[one] - before) / 1e3 for one, before, _ in given if one in times]
        print(percentiles(f"{name}, recorded", spans))
        print(percentiles(f"{name}, publish()", [took / 1e3 for _, _, took in given]))
    missing, strange = len(published - times.keys()), len(times.keys() - published)
    with closing(open_store(url)) as store:
        counts, transactions = store.counts(), store.head().batch_no + 1
    print(
        f"published {len(published):,}, recorded {counts.events:,}: missing {missing},"
        f" never published {strange}, conflicts {counts.conflicts}, quarantined"
        f" {counts.quarantined}, redelivered {counts.redeliveries} (each counted once),"
        f" in {transactions:,} transactions"
    )
    print(f"the most that a publisher was behind its plan: {max(r['late_s'] for r in said):.3f} s")
    return missing + strange + counts.conflicts + counts.quarantined


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rooms and print the report. Returns 1 when the accounting does not come out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishers", type=int, default=50)
    parser.add_argument("--events-per-s", type=float, default=20.0, help="of each publisher")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--probes", type=int, default=3, help="of each publisher")
    parser.add_argument("--telemetry-hz", type=float, default=1.0, help="chunks a probe; 0 = none")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    options = parser.parse_args(arguments)
    # So that whoever ends it early leaves none of its processes behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="cryotrail-room-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        kafka = stack.enter_context(broker.running(home_settings(folder / "home")))
        assert kafka.pid is not None
        parts = {"broker": [kafka.pid]}
        url = f"sqlite:///{folder / 'audit.sqlite3'}"
        if options.database == "postgresql":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-room-pg-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            server = stack.enter_context(PostgresServer(home, {"shared_buffers": "256MB"}))
            url = server.url()
        migrate(url)
        recorder = stack.enter_context(
            subprocess.Popen(
                [Path(sys.executable).with_name("cryotrail"), "record"],
                env=home_environment(folder / "home")
                | {"CRYOTRAIL_AUDIT_URL": url, "CRYOTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap},
            )
        )
        stack.callback(recorder.send_signal, signal.SIGTERM)
        parts["recorder"] = [recorder.pid]
        begin_s = time.time() + _START_S + _START_A_PUBLISHER_S * options.publishers
        rooms = [
            Room(
                str(folder), kafka.bootstrap, number, options.events_per_s, options.probes,
                options.telemetry_hz, options.seconds, int(begin_s * 1e6), _SETTLE_S,
            )
            for number in range(options.publishers)
        ]  # fmt: skip
        script = Path(__file__).with_name("room_publisher.py")
        publishers = [
            subprocess.Popen(
                [sys.executable, script, json.dumps(asdict(room))],
                stdout=(folder / f"said-{room.number}.json").open("w"),
            )
            for room in rooms
        ]
        for one in publishers:
            stack.callback(one.kill)
        time.sleep(max(0.0, begin_s - time.time()))
        if options.database == "postgresql":
            parts["postgresql"] = descendants(server.pid)
        before = {name: cpu_of(pids) for name, pids in parts.items()}
        time.sleep(options.seconds)
        used = {name: cpu_of(pids) - before[name] for name, pids in parts.items()}
        assert sum(one.wait() for one in publishers) == 0, "a publisher failed"
        said = [json.loads((folder / f"said-{room.number}.json").read_text()) for room in rooms]
        settled(url, sum(len(room["event"]) + len(room["chunk"]) for room in said))
        memory = f"{rss_mib(recorder.pid):.0f} MiB"
        wrong = report(said, url)
        used["publishers"] = sum(room["cpu_s"] for room in said)
        print(
            "CPU: "
            + ", ".join(f"{name} {100 * of / options.seconds:.0f} %" for name, of in used.items())
            + f"; the recorder holds {memory}"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
