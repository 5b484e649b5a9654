"""What is in quarantine is relayed to the dead-letter topic, from the store and in its order."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource
from kafka_fixtures import KafkaNode, delete_topics
from key_stores import key_store
from quarantined import QuietRoom
from waiting import until

from cryotrail.embedded.topics import ensure_topics
from cryotrail_audit.records import QUARANTINED, Entry
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_consumers.errors import RelayRefused
from cryotrail_consumers.operating.dead_letter_relay import DeadLetterRelay
from cryotrail_consumers.reading.kafka_header_names import escape_header_names
from cryotrail_producers.kafka_clients import KafkaConnection, admin, consumer, producer
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.topics import DEAD_LETTERS


@pytest.fixture
def dead_letters(kafka: KafkaNode) -> Iterator[KafkaConnection]:
    """A Kafka whose dead-letter topic was just made."""
    ensure_topics(kafka.connection, flush_each_message=True, topics=(DEAD_LETTERS,))
    yield kafka.connection
    delete_topics(kafka.connection, (DEAD_LETTERS,))


def relay(url: str, connection: KafkaConnection) -> int:
    """One run of a relay; how many it sent."""
    with closing(open_store(url)) as store, closing(DeadLetterRelay(store, connection)) as one:
        return one.relay(lambda _seq: None)


def letters(connection: KafkaConnection) -> list[Any]:
    """Everything on the topic."""
    partition = TopicPartition(DEAD_LETTERS, 0)
    client = consumer(connection)
    escape_header_names(client)
    try:
        client.assign([partition])
        client.seek_to_beginning(partition)
        (end,) = client.end_offsets([partition]).values()
        found: list[Any] = []

        def read_to_the_end() -> bool:
            found.extend(client.poll(timeout_ms=500).get(partition, ()))
            return bool(client.position(partition) >= end)

        until(read_to_the_end)
        return found
    finally:
        client.close()


def quarantined(store: AuditStore) -> list[Entry]:
    return [entry for rows in store.entries(kinds=(QUARANTINED,)) for entry in rows]


def said(letter: Any) -> dict[str, str]:
    return {
        name.removeprefix("cryotrail-"): value.decode()
        for name, value in letter.headers
        if name.startswith("cryotrail-")
    }


def seqs(connection: KafkaConnection) -> list[int]:
    return [int(said(letter)["seq"]) for letter in letters(connection)]


def test_a_copy_has_the_original_bytes_and_says_where_it_stands(
    dead_letters: KafkaConnection, store_url: str
) -> None:
    headers = [("x", b"1"), ("x", None), ("y", b"")]
    with closing(open_store(store_url)) as store:
        room = QuietRoom(store)
        room.receive(b"MSH|^~\\&|LAB", key=b"bed 4", headers=headers)
        room.receive(None, key=None)
        first, second = quarantined(store)
        origin = store.origin()

    assert relay(store_url, dead_letters) == 2

    sent = letters(dead_letters)
    assert [(one.key, one.value) for one in sent] == [(b"bed 4", b"MSH|^~\\&|LAB"), (None, b"")]
    assert sent[0].headers[:3] == [(name, value or b"") for name, value in headers]
    assert said(sent[0]) == {
        "store": origin,
        "seq": str(first.seq),
        "id": str(UUID(bytes=first.event_id)),
        "reason": "unknown_framing",
        "topic": "procedure-events",
        "partition": "0",
        "offset": "0",
        "nulls": "1",
    }
    assert (said(sent[1])["seq"], said(sent[1])["nulls"]) == (str(second.seq), "value")


def test_it_goes_on_behind_what_the_topic_holds(
    dead_letters: KafkaConnection, store_url: str
) -> None:
    with closing(open_store(store_url)) as store:
        room = QuietRoom(store)
        for number in range(130):
            room.receive(b"rubbish %d" % number)
        assert relay(store_url, dead_letters) == 130
        assert relay(store_url, dead_letters) == 0
        room.receive(b"more")
        foreign = producer(dead_letters)  # Somebody else writes there too, by mistake.
        for _ in range(120):
            foreign.send(DEAD_LETTERS, value=b"not ours", partition=0)
        foreign.flush(timeout=30)
        foreign.close()

        assert relay(store_url, dead_letters) == 1

        expected = [entry.raw for entry in quarantined(store)]
    assert [one.value for one in letters(dead_letters) if one.value != b"not ours"] == expected


def test_after_a_restore_what_follows_the_last_common_entry_is_sent_again(
    dead_letters: KafkaConnection, sqlite_url: str, tmp_path: Path
) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    backup = tmp_path / "backup.sqlite3"
    with closing(open_store(sqlite_url)) as store:
        QuietRoom(store).receive(b"kept")
    backup.write_bytes(file.read_bytes())
    with closing(open_store(sqlite_url)) as store:
        room = QuietRoom(store, first_offset=1)
        room.receive(b"lost by the restore")
        room.receive(b"lost too")
    assert relay(sqlite_url, dead_letters) == 3
    file.write_bytes(backup.read_bytes())
    with closing(open_store(sqlite_url)) as store:
        QuietRoom(store, first_offset=7).receive(b"new")

    assert relay(sqlite_url, dead_letters) == 1

    assert [one.value for one in letters(dead_letters)][-1] == b"new"


def test_sealed_bytes_are_relayed_as_they_are_stored_and_said_to_be(
    dead_letters: KafkaConnection, sqlite_url: str, tmp_path: Path
) -> None:
    with key_store(tmp_path / "keys") as keys, closing(open_store(sqlite_url)) as store:
        entry = QuietRoom(store, RecordCipher(keys)).receive(b"PID|1||Miyazaki^Hanako")

    relay(sqlite_url, dead_letters)

    (sent,) = letters(dead_letters)
    assert sent.value == entry.raw
    assert b"Miyazaki" not in sent.value
    assert said(sent)["sealed"] == "true"


def test_a_record_that_the_cluster_refuses_is_not_passed_over(
    dead_letters: KafkaConnection, sqlite_url: str
) -> None:
    with closing(open_store(sqlite_url)) as store:
        room = QuietRoom(store)
        room.receive(b"small")
        room.receive(bytes(range(1, 251)) * 1000)
        room.receive(b"behind it")
    limit(dead_letters, 10_000)
    for sent in (1, 0):
        before = len(letters(dead_letters))
        with pytest.raises(RelayRefused, match="MessageSizeTooLarge"):
            relay(sqlite_url, dead_letters)
        assert len(letters(dead_letters)) == before + sent
    limit(dead_letters, 1_000_000)

    assert relay(sqlite_url, dead_letters) == 2


def limit(connection: KafkaConnection, message_bytes: int) -> None:
    client = admin(connection)
    try:
        wanted = {"max.message.bytes": str(message_bytes)}
        client.alter_configs([ConfigResource("TOPIC", DEAD_LETTERS, configs=wanted)])
        resource = ConfigResource("TOPIC", DEAD_LETTERS)

        def is_set() -> bool:
            found = client.describe_configs([resource], config_filter="all")
            value = found["topic"][DEAD_LETTERS]["max.message.bytes"]["value"]
            return bool(str(value) == str(message_bytes))

        until(is_set)
    finally:
        client.close()


def test_killed_at_any_moment_it_leaves_a_beginning_of_the_quarantine_and_goes_on(
    kafka: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    delete_topics(kafka.connection, (DEAD_LETTERS,))  # The command makes it.
    moment = random.Random(4711)
    environment = os.environ | {
        "CRYOTRAIL_HOME": str(tmp_path),
        "CRYOTRAIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "CRYOTRAIL_AUDIT_URL": sqlite_url,
    }
    command = [sys.executable, "-m", "cryotrail.main", "audit", "quarantine", "relay"]
    with closing(open_store(sqlite_url)) as store:
        room = QuietRoom(store)
        for number in range(300):
            room.receive(b"rubbish %d" % number)
        expected = [entry.seq for entry in quarantined(store)]
    kills, done = 2, 0
    for _ in range(kills):
        with subprocess.Popen([*command, "--follow"], env=environment) as process:
            until(lambda done=done: ended(kafka.connection) > done)
            time.sleep(moment.uniform(0.0, 0.1))
            process.kill()
        done = ended(kafka.connection)
    printed = subprocess.run(
        [*command, "--json"], env=environment, capture_output=True, text=True, check=True
    )

    found = seqs(kafka.connection)
    assert list(dict.fromkeys(found)) == expected
    assert len(found) - len(expected) <= kills
    assert 0 < json.loads(printed.stdout)["relayed"] <= len(expected)
    delete_topics(kafka.connection, (DEAD_LETTERS,))


def ended(connection: KafkaConnection) -> int:
    """The end of the topic; 0 while there is none."""
    client = admin(connection)
    try:
        if DEAD_LETTERS not in client.list_topics():
            return 0
    finally:
        client.close()
    reader = consumer(connection)
    try:
        (end,) = reader.end_offsets([TopicPartition(DEAD_LETTERS, 0)]).values()
        return int(end)
    finally:
        reader.close()
