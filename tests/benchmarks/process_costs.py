"""What a process has used, and what a run of transactions costs a record."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg


class Mark(NamedTuple):
    """What has been used when a transaction ended."""

    records: int
    wall_s: float
    client_s: float
    server_s: float
    rss_mib: float
    peak_rss_mib: float

    @classmethod
    def now(cls, records: int, backend: int | None) -> Mark:
        """This process and the server's, as of now."""
        spent = (time.perf_counter(), time.process_time(), cpu_seconds(backend))
        return cls(records, *spent, rss_mib("self"), peak_rss_mib())


def costs_between(marks: Sequence[Mark]) -> dict[str, float]:
    """CPU microseconds a record and records a second from the end of the first transaction to
    the end of the last, so that neither starting nor connecting is in it."""
    first, last = marks[0], marks[-1]
    rows = last.records - first.records
    return {
        "recorded": last.records,
        "batch": last.records / len(marks),
        "rows_per_s": rows / (last.wall_s - first.wall_s),
        "client_us": (last.client_s - first.client_s) / rows * 1e6,
        "server_us": (last.server_s - first.server_s) / rows * 1e6,
        "first_rss_mib": first.peak_rss_mib,
        "peak_rss_mib": last.peak_rss_mib,
    }


def memory_by_tenth(marks: Sequence[Mark]) -> list[tuple[int, float]]:
    """Records so far and MiB held, at the end of the transaction that completes each tenth."""
    total, tenths = marks[-1].records, []
    for mark in marks:
        if mark.records * 10 >= total * (len(tenths) + 1):
            tenths.append((mark.records, mark.rss_mib))
    return tenths


def cpu_seconds(pid: int | None) -> float:
    """User and system time of a process, from /proc; 0 for none."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mib() -> float:
    """The most memory that this process has held; getrusage would count its parent's too."""
    return _status_mib("VmHWM:", "self")


def rss_mib(pid: int | str) -> float:
    """The memory that a process holds now."""
    return _status_mib("VmRSS:", pid)


def _status_mib(field: str, pid: int | str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(field)[2].split()[0]) / 1024


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
