"""One measured run: how fast, for how much CPU, in how much memory a candidate drains its topics.

The candidate is started and records a warm-up first, then it is frozen (SIGSTOP) while the messages
are published, and let go on. Counted is what lies between that moment and the last commit that the
database dates: neither starting, nor connecting, nor warming a JVM up, nor publishing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psycopg
from candidates import Candidate, Place
from peer_messages import Event, empty_topics, form_of, send
from peer_table import database
from postgres_server import PostgresServer
from process_group import ProcessGroup, cpu_seconds

from cryotrail_producers.kafka_clients import KafkaConnection

WARM_UP_TIMEOUT_S = 90.0
_SAMPLE_S = 0.05
_COUNT_EVERY_S = 0.4
_LONGEST_FREEZE_S = 8.0
"""Below the session timeout of every candidate (10 s): none is put out of its group meanwhile."""
_BACKENDS = """
select pid from pg_stat_activity
where datname = current_database() and backend_type = 'client backend'
  and application_name <> 'harness'
"""


class RunFailed(RuntimeError):
    """A candidate did not do what it was started for; the message has the end of its log."""


@dataclass(frozen=True)
class Run:
    """What one run took."""

    rows_per_s: float
    client_us: float
    """CPU of the candidate's processes a row, in microseconds."""
    server_us: float
    """CPU of the PostgreSQL backends that worked for it a row, in microseconds."""
    peak_mib: float

    @property
    def cpu_us(self) -> float:
        """Client and server together."""
        return self.client_us + self.server_us


class _Sample(NamedTuple):
    moment: float
    client_s: float
    server_s: float


def measure(
    candidate: Candidate,
    bootstrap: str,
    server: PostgresServer,
    folder: Path,
    warm_up: Sequence[Event],
    events: Sequence[Event],
    timeout_s: float,
) -> Run:
    """One run on empty topics and an empty database.

    :raises RunFailed: it ended, or was not done in time.
    """
    empty_topics(KafkaConnection(bootstrap), candidate.form)
    folder.mkdir()
    send(bootstrap, (form_of(event, candidate.form) for event in warm_up))
    place = Place(bootstrap, server, f"run_{folder.name}".replace("-", "_"), folder)
    with database(server, place.database) as connection:
        launch = candidate.prepare(place, connection, note_writes=False)
        log = folder / "output.log"
        process = ProcessGroup(launch.command, launch.environment, log)
        try:
            warm = _Counter(candidate, connection, process, log)
            warm.await_count(len(warm_up), WARM_UP_TIMEOUT_S)
            process.freeze()
            started = time.monotonic()
            send(bootstrap, (form_of(event, candidate.form) for event in events))
            if time.monotonic() - started > _LONGEST_FREEZE_S:
                raise RunFailed("publishing took longer than a consumer group waits: fewer --rows")
            first = warm.sample()
            process.thaw()
            samples = warm.await_count(len(warm_up) + len(events), timeout_s)
            last = _at([first, *samples], _last_commit(candidate, connection))
            peak = process.peak_mib()
        finally:
            process.end()
    rows = len(events)
    return Run(
        rows / (last.moment - first.moment),
        (last.client_s - first.client_s) / rows * 1e6,
        (last.server_s - first.server_s) / rows * 1e6,
        peak,
    )


class _Counter:
    """Waits until a table is full and notes meanwhile what was used."""

    def __init__(
        self, candidate: Candidate, connection: psycopg.Connection, process: ProcessGroup, log: Path
    ) -> None:
        self._candidate = candidate
        self._connection = connection
        self._process = process
        self._log = log
        self._backends: dict[int, float] = {}

    def sample(self) -> _Sample:
        """What has been used by now; a backend that is gone counts with what it had."""
        for (pid,) in self._connection.execute(_BACKENDS):
            self._backends.setdefault(pid, 0.0)
        for pid, known in self._backends.items():
            self._backends[pid] = max(known, cpu_seconds(pid))
        return _Sample(time.time(), self._process.cpu_s(), sum(self._backends.values()))

    def await_count(self, wanted: int, timeout_s: float) -> list[_Sample]:
        """Samples until the table holds ``wanted`` rows."""
        samples = []
        started = counted = time.monotonic()
        while True:
            samples.append(self.sample())
            now = time.monotonic()
            if now - counted >= _COUNT_EVERY_S:
                counted = now
                if self._count() >= wanted:
                    return [*samples, self.sample()]
            if not self._process.is_running() or now - started > timeout_s:
                count = self._count()
                if count >= wanted:
                    return [*samples, self.sample()]
                raise RunFailed(
                    f"{self._candidate.name}: {count} of {wanted} rows after {now - started:.0f} s"
                    f"\n{self._log.read_text(errors='replace')[-3000:]}"
                )
            time.sleep(_SAMPLE_S)

    def _count(self) -> int:
        # A store of ours is there before its recorder starts, a table as well.
        row = self._connection.execute(self._candidate.count.encode()).fetchone()
        assert row is not None
        count: int = row[0]
        return count


def _last_commit(candidate: Candidate, connection: psycopg.Connection) -> float:
    """When the last row was committed, by the server's clock, which is this machine's."""
    row = connection.execute(
        "select max(pg_xact_commit_timestamp(xmin)) from"
        f" (select distinct xmin from {candidate.table}) as transaction".encode()
    ).fetchone()
    assert row is not None and isinstance(row[0], datetime)
    return row[0].timestamp()


def _at(samples: Sequence[_Sample], moment: float) -> _Sample:
    """What had been used at a moment, on the line between the samples around it."""
    for before, after in pairwise(samples):
        if before.moment <= moment <= after.moment:
            share = (moment - before.moment) / (after.moment - before.moment)
            return _Sample(
                moment,
                before.client_s + share * (after.client_s - before.client_s),
                before.server_s + share * (after.server_s - before.server_s),
            )
    return samples[-1]
