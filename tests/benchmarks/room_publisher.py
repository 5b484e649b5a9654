"""One publisher of ``bench_room.py``: ``room_publisher.py OPTIONS_AS_JSON``, a process of its own.

It has its own outbox and its own sender. Procedure events come at their rate, one telemetry chunk a
probe at another; both as a room would publish them, by one thread, evenly, from a moment of its own
within the first second. Prints one JSON object when Kafka has acknowledged all.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from room_events import chunk, freeze

from cryotrail_producers.kafka_clients import KafkaConnection
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import KafkaTransport
from cryotrail_schemas.events import Event

_VALUES_A_SECOND = 10
"""Samples of a probe, in however many chunks."""


@dataclass(frozen=True)
class Room:
    """What one publisher is to do."""

    folder: str
    bootstrap: str
    number: int
    events_per_s: float
    probes: int
    chunks_per_s: float
    duration_s: float
    begin_us: int
    """When to begin, on the clock of the wall."""
    wait_s: float
    """For Kafka, at the end."""


def moments(
    rate: float, duration_s: float, phase_s: float, what: str
) -> Iterator[tuple[float, str]]:
    """When one source gives its next, in seconds from the beginning."""
    for number in range(int(rate * duration_s)):
        yield phase_s + number / rate, what


def plan(room: Room) -> Iterator[tuple[float, str]]:
    """All sources of a room, in the order of time."""
    rng = Random(room.number)
    sources = [moments(room.events_per_s, room.duration_s, rng.random(), "event")]
    if room.chunks_per_s:
        sources += [
            moments(room.chunks_per_s, room.duration_s, rng.random(), "chunk")
            for _ in range(room.probes)
        ]
    return merge(*sources)


def event_of(what: str, procedure_id: UUID, number: int, room: Room) -> Event:
    """The next event of a source."""
    if what == "event":
        return freeze(procedure_id, number % 100 + 1)
    return chunk(procedure_id, max(1, round(_VALUES_A_SECOND / room.chunks_per_s)))


def publish(room: Room) -> dict[str, object]:
    """Publish by the plan; returns what was published when, and what it took."""
    settings = PublisherSettings(
        Path(room.folder) / f"room-{room.number}.sqlite3", f"urn:cryotrail:room-{room.number}"
    )
    procedure_id = uuid4()
    said: dict[str, list[tuple[str, int, int]]] = {"event": [], "chunk": []}
    with Publisher(settings, KafkaTransport(KafkaConnection(room.bootstrap))) as publisher:
        while (left_s := room.begin_us / 1e6 - time.time()) > 0:
            time.sleep(min(left_s, 1.0))
        late_s, cpu_s, begin_s = 0.0, time.process_time(), time.time()
        for number, (at_s, what) in enumerate(plan(room)):
            event = event_of(what, procedure_id, number, room)
            left_s = begin_s + at_s - time.time()
            late_s = max(late_s, -left_s)
            time.sleep(max(0.0, left_s))
            before_us, began = time.time_ns() // 1000, time.perf_counter_ns()
            publisher.publish(event)
            took_us = (time.perf_counter_ns() - began) // 1000
            said[what].append((event.header.event_id.hex, before_us, took_us))
        cpu_s = time.process_time() - cpu_s
        waiting = publisher.wait(room.wait_s).waiting
    return {**said, "cpu_s": cpu_s, "late_s": late_s, "waiting": waiting}


if __name__ == "__main__":
    print(json.dumps(publish(Room(**json.loads(sys.argv[1])))))
