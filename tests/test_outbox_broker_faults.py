"""A broker that stands still, a topic made anew while sending, an outage of hours."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode
from outbox_room import Room
from refused_connections import REFUSED_CONNECTIONS
from room_events import freeze
from test_outbox_kafka import procedure_seqs, records_of
from waiting import until

from cryotrail.embedded.state import running_state
from cryotrail_producers.sending import sender
from cryotrail_producers.transport import KafkaTransport

pytestmark = REFUSED_CONNECTIONS


def test_a_broker_that_stands_still_beyond_every_timeout_gets_each_procedure_in_order(
    fragile_kafka: KafkaNode, room: Room
) -> None:
    state = running_state(fragile_kafka.settings.kafka_dir)
    assert state is not None and state.pid is not None
    procedures = [uuid4() for _ in range(3)]
    publisher = room.publisher(
        KafkaTransport(fragile_kafka.connection, request_timeout_ms=500, batch_size=2048)
    )
    publisher.publish_many([freeze(procedure) for procedure in procedures for _ in range(5)])
    assert publisher.wait(20).waiting == 0
    os.kill(state.pid, signal.SIGSTOP)
    try:
        slowest_s = 0.0
        stands_still_until = time.monotonic() + 3  # six times the request's timeout
        while time.monotonic() < stands_still_until:
            began = time.monotonic()
            publisher.publish_many([freeze(procedure) for procedure in procedures])
            slowest_s = max(slowest_s, time.monotonic() - began)
        waiting = publisher.status().waiting
    finally:
        os.kill(state.pid, signal.SIGCONT)

    assert waiting > 0
    assert slowest_s < 1
    assert publisher.wait(40).waiting == 0
    found = procedure_seqs(records_of(fragile_kafka.connection))
    for seqs in found.values():
        firsts = list(dict.fromkeys(seqs))
        assert firsts == list(range(1, len(firsts) + 1))
    assert len({len(set(seqs)) for seqs in found.values()}) == 1


def test_a_topic_that_is_made_anew_while_events_are_sent_ends_with_all_of_them_in_order(
    fresh_topics: KafkaNode, room: Room
) -> None:
    procedure = uuid4()
    publisher = room.publisher(KafkaTransport(fresh_topics.connection), log_check_s=0.5)
    over = threading.Event()
    count = 0

    def publish_on() -> None:
        nonlocal count
        while not over.is_set():
            publisher.publish(freeze(procedure))
            count += 1
            over.wait(0.005)

    thread = threading.Thread(target=publish_on)
    thread.start()
    try:
        until(lambda: publisher.status().sent > 20)
        fresh_topics.recreate_topics()
        before = publisher.status().sent
        until(lambda: publisher.status().sent > before + 20)
    finally:
        over.set()
        thread.join()
    until(
        lambda: (
            publisher.status().waiting == 0
            and set(procedure_seqs(records_of(fresh_topics.connection)).get(procedure, []))
            == set(range(1, count + 1))
        )
    )


def test_hours_of_refused_connections_do_not_use_up_the_files_of_a_process(
    fragile_kafka: KafkaNode, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_COLLECT_S", 0.5)
    quick = {"reconnect_backoff_ms": 1, "reconnect_backoff_max_ms": 5}
    publisher = room.publisher(KafkaTransport(fragile_kafka.connection, **quick))
    publisher.publish(freeze(uuid4()))
    assert publisher.wait(20).waiting == 0
    fragile_kafka.kill()
    try:
        publisher.publish(freeze(uuid4()))
        gc.disable()  # as good as in a process that has little else to do
        before, open_files = _open_files(), []
        enough = time.monotonic() + 6
        while time.monotonic() < enough:
            open_files.append(_open_files() - before)
            time.sleep(0.01)
    finally:
        gc.enable()
        fragile_kafka.start()
    drops = [one - next_ for one, next_ in itertools.pairwise(open_files) if next_ < one - 5]
    assert len(drops) >= 2  # collected again and again
    assert open_files[-1] < sum(drops)
    assert publisher.wait(40).waiting == 0


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
