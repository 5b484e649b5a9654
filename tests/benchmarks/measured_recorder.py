"""The process that ``bench_recorder.py`` measures: ``measured_recorder.py BOOTSTRAP URL``.

It records what Kafka holds into the store at the URL, as ``cryotrail record --until-caught-up``
does, and prints what that took as one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psycopg

from cryotrail_audit.store import open_store
from cryotrail_consumers.decoding import RecordDecoder
from cryotrail_consumers.garbage import rare_collections
from cryotrail_consumers.kafka_source import KafkaSource, group_of
from cryotrail_consumers.known_schemas import KnownSchemas
from cryotrail_consumers.recorder import Recorder
from cryotrail_consumers.tally import Tally
from cryotrail_producers.kafka_clients import KafkaConnection
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS


class Mark(NamedTuple):
    """What has been used when a transaction ended."""

    records: int
    wall_s: float
    client_s: float
    server_s: float
    peak_rss_mib: float


def record_and_measure(bootstrap: str, url: str) -> dict[str, float]:
    """Record all that Kafka holds; what lies after the first transaction is counted."""
    marks: list[Mark] = []
    backend: int | None = None

    def mark(tally: Tally) -> None:
        nonlocal backend
        backend = backend or store_backend(url)
        now = (time.perf_counter(), time.process_time(), cpu_seconds(backend))
        marks.append(Mark(tally.records, *now, peak_rss_mib()))

    topics = (PROCEDURE_EVENTS, PROBE_TELEMETRY)
    share = url.startswith("postgresql")
    with closing(open_store(url)) as store, rare_collections():
        group = group_of(store.origin())
        tally = Recorder(
            store,
            lambda: KafkaSource(KafkaConnection(bootstrap), topics, group, share=share),
            RecordDecoder(KnownSchemas(store)),
        ).run(until_caught_up=True, on_batch=mark)
    assert tally.recorded == tally.records, tally
    first, last = marks[0], marks[-1]
    rows = last.records - first.records
    return {
        "recorded": tally.recorded,
        "batch": tally.recorded / tally.transactions,
        "rows_per_s": rows / (last.wall_s - first.wall_s),
        "client_us": (last.client_s - first.client_s) / rows * 1e6,
        "server_us": (last.server_s - first.server_s) / rows * 1e6,
        "first_rss_mib": first.peak_rss_mib,
        "peak_rss_mib": last.peak_rss_mib,
    }


def cpu_seconds(pid: int | None) -> float:
    """User and system time of a process, from /proc; 0 for none."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mib() -> float:
    """The most memory that this process has held; getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def store_backend(url: str) -> int | None:
    """The process of the server that works for the store; None for SQLite."""
    if not url.startswith("postgresql"):
        return None
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(
            "select pid from pg_stat_activity"
            " where application_name = 'cryotrail audit' and datname = current_database()"
        ).fetchone()
    assert row is not None
    pid: int = row[0]
    return pid


if __name__ == "__main__":
    print(json.dumps(record_and_measure(*sys.argv[1:])))
