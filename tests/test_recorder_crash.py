"""A recorder that is killed in the midst of its work loses nothing and records nothing twice."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from kafka_fixtures import KafkaNode
from many_messages import many_messages
from recorded_kafka import all_entries, head_of, message_of, publish, record_all
from recorder_process import give_up_members, recorder_process
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

EVENT_COUNT = 16_000


def test_kill_9_at_any_moment_loses_nothing_and_records_nothing_twice(
    fresh_topics: KafkaNode, store_url: str, tmp_path: Path
) -> None:
    messages = list(many_messages(EVENT_COUNT))
    publish(fresh_topics.connection, messages)
    moment = random.Random(EVENT_COUNT)

    for _ in range(3):
        before = head_of(store_url).tree_size
        with recorder_process(fresh_topics, store_url, tmp_path) as started:
            until(lambda before=before: head_of(store_url).tree_size > before)
            # Within the next batch: it is fetched, decoded, or half written.
            time.sleep(moment.uniform(0.0, 0.2))
            started.process.kill()
        if store_url.startswith("postgresql"):
            give_up_members(fresh_topics, store_url)

    record_all(fresh_topics.connection, store_url)
    entries = all_entries(store_url, kinds=(0, 1, 2))
    assert sorted(entry.raw or b"" for entry in entries) == sorted(
        message.value or b"" for message in messages
    )
    store = open_store(store_url)
    assert store.counts().redeliveries == 0
    store.close()
    assert verify(store_url).result == "intact"


def test_sigterm_ends_the_recorder_after_its_transaction(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    publish(fresh_topics.connection, [message_of(event) for event in of_procedure("R01")[:50]])
    with recorder_process(fresh_topics, sqlite_url, tmp_path) as started:
        until(lambda: len(all_entries(sqlite_url, kinds=(0,))) == 50)

        started.process.send_signal(signal.SIGTERM)
        said, _ = started.process.communicate(timeout=20)

    assert started.process.returncode == 0, started.said()
    assert said.startswith("50 recorded, 0 redelivered, 0 conflicts, 0 quarantined")
    assert verify(sqlite_url).result == "intact"
