"""Twenty times SIGKILL while draining, then the account of what came of the events.

Before each life the backlog is filled up; once the life has committed a write, it is killed with
all its children at a random moment of the next :data:`SPREAD_S`. It is started again as its
documentation would: from the offsets that it keeps itself. The last life may drain in peace.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psycopg
from candidates import Candidate, Launch, Place
from peer_account import Account, Published, account
from peer_messages import Event, as_published, empty_topics, form_of, send
from peer_table import database
from postgres_server import PostgresServer
from process_group import ProcessGroup

from cryotrail_producers.kafka_clients import KafkaConnection

BACKLOG = 20_000
SPREAD_S = 0.8
_FIRST_WRITE_TIMEOUT_S = 120.0
_DRAIN_TIMEOUT_S = 120.0
_QUIET_S = 10.0
"""Nothing written for so long, though the candidate runs and wrote before: it will not go on."""
_POLL_S = 0.02


@dataclass(frozen=True)
class Kills:
    """What one series came to."""

    kills: int
    while_draining: int
    """Kills while published events were still unwritten."""
    published: int
    first_write_s: float
    """Median seconds from a start after a kill to the first committed write."""
    account: Account
    note: str = ""
    """What went wrong with the series itself."""


def kill_series(
    candidate: Candidate,
    bootstrap: str,
    server: PostgresServer,
    folder: Path,
    events: Iterator[Event],
    kills: int,
    seed: int,
    told: Callable[[int], None],
) -> Kills:
    """Kill a candidate ``kills`` times and account for every event.

    :param events: as many as are asked for.
    :param told: called with the number of each kill.
    """
    moments = random.Random(seed)
    empty_topics(KafkaConnection(bootstrap), candidate.form)
    folder.mkdir()
    place = Place(bootstrap, server, f"kills_{candidate.name}".replace("-", "_"), folder)
    published: dict[str, Published] = {}
    waits: list[float] = []
    while_draining = 0
    note = ""
    with database(server, place.database) as connection:
        launch = candidate.prepare(place, connection, note_writes=True)
        for number in range(kills):
            _fill_up(candidate, connection, bootstrap, events, published)
            with _life(launch, folder) as process:
                waited = _first_write_s(candidate, connection, process)
                time.sleep(moments.uniform(0, SPREAD_S))
                process.kill()
            if waited is None:
                note = "a life wrote nothing before it was killed"
            elif number > 0:
                waits.append(waited)
            while_draining += _unwritten(candidate, connection, published) > 0
            told(number + 1)
        drained = False
        for _ in range(2):  # What is not written by a second undisturbed life is lost.
            if not drained:
                with _life(launch, folder) as process:
                    drained = _drained(candidate, connection, process, published)
                    process.end()
        written = connection.execute(candidate.written.encode()).fetchall()
        rows = [event_id for (event_id,) in connection.execute(candidate.rows.encode())]
    return Kills(
        kills, while_draining, len(published), statistics.median(waits or [0.0]),
        account(published, written, rows), note,
    )  # fmt: skip


@contextmanager
def _life(launch: Launch, folder: Path) -> Iterator[ProcessGroup]:
    """A process that is ended whatever happens."""
    process = ProcessGroup(launch.command, launch.environment, folder / "output.log")
    try:
        yield process
    finally:
        process.kill()


def _fill_up(
    candidate: Candidate,
    connection: psycopg.Connection,
    bootstrap: str,
    events: Iterator[Event],
    published: dict[str, Published],
) -> None:
    wanted = BACKLOG - _unwritten(candidate, connection, published)
    if wanted > 0:
        more = list(islice(events, wanted))
        published.update(as_published(more, first=len(published)))
        send(bootstrap, (form_of(event, candidate.form) for event in more))


def _unwritten(
    candidate: Candidate, connection: psycopg.Connection, published: dict[str, Published]
) -> int:
    return len(published) - _number(connection, candidate.count)


def _first_write_s(
    candidate: Candidate, connection: psycopg.Connection, process: ProcessGroup
) -> float | None:
    """Seconds until something more is written than was; None when the process does not do it."""
    before = _number(connection, candidate.newest_write)
    started = time.monotonic()
    while time.monotonic() - started < _FIRST_WRITE_TIMEOUT_S and process.is_running():
        if _number(connection, candidate.newest_write) > before:
            return time.monotonic() - started
        time.sleep(_POLL_S)
    return None


def _drained(
    candidate: Candidate,
    connection: psycopg.Connection,
    process: ProcessGroup,
    published: dict[str, Published],
) -> bool:
    """Wait until every event is written, or no more are; returns whether every one is."""
    if _unwritten(candidate, connection, published) > 0:
        _first_write_s(candidate, connection, process)
    started = changed = time.monotonic()
    newest = -1
    while time.monotonic() - started < _DRAIN_TIMEOUT_S and process.is_running():
        latest = _number(connection, candidate.newest_write)
        if latest != newest:
            newest, changed = latest, time.monotonic()
        quiet_s = time.monotonic() - changed
        # Even when all is there, more may be written once again.
        if quiet_s > 2 and _unwritten(candidate, connection, published) <= 0:
            return True
        if quiet_s > _QUIET_S:
            return False
        time.sleep(0.2)
    return _unwritten(candidate, connection, published) <= 0


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    number: int = row[0]
    return number
