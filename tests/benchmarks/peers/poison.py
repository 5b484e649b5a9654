"""What one message that is no event does to a candidate: three kinds, each in the middle of others.

200 events are recorded first; then come the poison and 200 more events, all of one partition. Seen
is what the database holds when nothing more comes, and whether the candidate still runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from candidates import Candidate, Place
from connect_files import DEAD_LETTERS
from kafka.structs import TopicPartition
from peer_messages import Event, Sent, empty_topics, form_of, send
from peer_table import database
from postgres_server import PostgresServer
from process_group import ProcessGroup

from cryotrail_producers.kafka_clients import KafkaConnection, consumer

EITHER_SIDE = 200
_QUIET_S = 10.0
_FIRST_TIMEOUT_S = 120.0


def garbage(victim: Sent) -> Sent:
    """Bytes that are neither Avro nor JSON under a key and headers that are right."""
    return victim._replace(value=b"\xc3\x01garbage, not an event" + bytes(range(64)))


def null_value(victim: Sent) -> Sent:
    """A record without a value."""
    return victim._replace(value=None)


def nul_character(victim: Sent) -> Sent:
    """U+0000 in a text that every candidate keeps in a column of type text, the producer's id."""
    headers = [
        (name, b"outbox\x00" if name == "ce_producerid" else value)
        for name, value in victim.headers
    ]
    assert victim.value is not None
    json_form = victim.value.replace(b'"test-outbox"', b'"outbox\\u0000"')
    return victim._replace(value=json_form if not headers else victim.value, headers=headers)


KINDS: dict[str, Callable[[Sent], Sent]] = {
    "garbage value": garbage,
    "null value": null_value,
    "U+0000 in a text": nul_character,
}


def one_poison(
    candidate: Candidate,
    bootstrap: str,
    server: PostgresServer,
    folder: Path,
    events: Sequence[Event],
    kind: str,
) -> str:
    """What became of the message, in a word or two.

    ``stops`` (events after it are not recorded), ``skips`` (they are, it is nowhere),
    ``quarantines`` (it is kept apart), ``records`` (it has a row of its own).

    :param events: of one partition, one more than twice :data:`EITHER_SIDE`.
    """
    connection_to = KafkaConnection(bootstrap)
    empty_topics(connection_to, candidate.form)
    folder.mkdir()
    messages = [form_of(event, candidate.form) for event in events]
    messages[EITHER_SIDE] = KINDS[kind](messages[EITHER_SIDE])
    victim = events[EITHER_SIDE].event_id
    dead_before = _dead_letters(connection_to)
    send(bootstrap, messages[:EITHER_SIDE])
    place = Place(bootstrap, server, f"poison_{folder.name}".replace("-", "_"), folder)
    with database(server, place.database) as connection:
        launch = candidate.prepare(place, connection, note_writes=True)
        process = ProcessGroup(launch.command, launch.environment, folder / "output.log")
        try:
            wanted = {event.event_id for event in events[:EITHER_SIDE]}
            before = _settled(candidate, connection, process, wanted, _FIRST_TIMEOUT_S)
            if not wanted <= before:
                return "could not be tried: the events before it were not recorded"
            send(bootstrap, messages[EITHER_SIDE:])
            wanted = {event.event_id for event in events} - {victim}
            found = _settled(candidate, connection, process, wanted, _QUIET_S)
            runs = process.is_running()
        finally:
            process.end()
        if not wanted <= found:
            lost = len(wanted - found)
            return f"stops ({lost} after it not recorded; {'runs on' if runs else 'ended'})"
        if victim in found:
            return "records"
        if _dead_letters(connection_to) > dead_before:
            return "quarantines (topic)"
        return "quarantines" if candidate.is_ours and _kept_apart(connection) else "skips"


def _settled(
    candidate: Candidate,
    connection: psycopg.Connection,
    process: ProcessGroup,
    wanted: set[str],
    quiet_s: float,
) -> set[str]:
    """What is recorded once all is, the process has ended, or nothing came for ``quiet_s``."""
    changed = time.monotonic()
    found: set[str] = set()
    while True:
        now = time.monotonic()
        rows = {event_id for (event_id,) in connection.execute(candidate.rows.encode())}
        if rows != found:
            found, changed = rows, now
        if now - changed > (1 if wanted <= found else quiet_s) or not process.is_running():
            return found
        time.sleep(0.1)


def _kept_apart(connection: psycopg.Connection) -> bool:
    row = connection.execute("select count(*) from audit.entry where kind = 2").fetchone()
    return row is not None and row[0] == 1


def _dead_letters(connection: KafkaConnection) -> int:
    client = consumer(connection)
    try:
        if DEAD_LETTERS not in client.topics():
            return 0
        ends: dict[TopicPartition, int] = client.end_offsets(
            [
                TopicPartition(DEAD_LETTERS, part)
                for part in client.partitions_for_topic(DEAD_LETTERS)
            ]
        )
        return sum(ends.values())
    finally:
        client.close()
