"""A recorder that is killed in the midst of its work loses nothing and records nothing twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka.admin import MemberToRemove
from kafka_fixtures import KafkaNode
from many_messages import many_messages
from recorded_kafka import all_entries, group_at, message_of, publish, record_all
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.kafka_clients import admin

EVENT_COUNT = 16_000


@contextmanager
def _started(kafka: KafkaNode, url: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, which is killed at the end of the block if it still runs."""
    environment = os.environ | {
        "CRYOTRAIL_HOME": str(home),
        "CRYOTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "CRYOTRAIL_AUDIT_URL": url,
    }
    command = [sys.executable, "-m", "cryotrail.main", "record"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _give_up_members(kafka: KafkaNode, url: str) -> None:
    """Let the broker find out at once what it would after ten seconds: that its members are dead."""
    client = admin(kafka.connection)
    group = group_at(url)
    try:
        members = client.describe_groups([group])[group]["members"]
        dead = [MemberToRemove(member_id=member["member_id"]) for member in members]
        client.remove_group_members(group, dead)
    finally:
        client.close()


def _size(url: str) -> int:
    store = open_store(url)
    try:
        return store.head().tree_size
    finally:
        store.close()


def test_kill_9_at_any_moment_loses_nothing_and_records_nothing_twice(
    fresh_topics: KafkaNode, store_url: str, tmp_path: Path
) -> None:
    messages = list(many_messages(EVENT_COUNT))
    publish(fresh_topics.connection, messages)
    moment = random.Random(EVENT_COUNT)

    for _ in range(3):
        before = _size(store_url)
        with _started(fresh_topics, store_url, tmp_path) as process:
            until(lambda before=before: _size(store_url) > before)
            # Within the next batch: it is fetched, decoded, or half written.
            time.sleep(moment.uniform(0.0, 0.2))
            process.kill()
        if store_url.startswith("postgresql"):
            _give_up_members(fresh_topics, store_url)

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
    with _started(fresh_topics, sqlite_url, tmp_path) as process:
        until(lambda: len(all_entries(sqlite_url, kinds=(0,))) == 50)

        process.send_signal(signal.SIGTERM)
        said, remarks = process.communicate(timeout=20)

    assert process.returncode == 0, remarks
    assert said.startswith("50 recorded, 0 redelivered, 0 conflicts, 0 quarantined")
    assert verify(sqlite_url).result == "intact"
