"""A recorder that is killed while it reads again loses nothing and records nothing twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

from kafka_fixtures import KafkaNode
from many_messages import many_messages
from recorded_kafka import Message, all_entries, head_of, publish, record_all
from recorder_process import give_up_members, recorder_process
from reset_positions import Operator, resets_said
from waiting import until

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.topics import PROCEDURE_EVENTS

READ_BEFORE, NEW = 6_000, 3_000
KILLS = 3


def test_kill_9_in_the_midst_of_reading_again_adds_nothing_twice(
    fresh_topics: KafkaNode, store_url: str, operator: Operator, tmp_path: Path
) -> None:
    messages = list(many_messages(READ_BEFORE + NEW))
    garbage = [Message(PROCEDURE_EVENTS, messages[0].key, b"?")] * 5
    publish(fresh_topics.connection, [*messages[:READ_BEFORE], *garbage])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, messages[READ_BEFORE:])
    moment = random.Random(READ_BEFORE)

    for _ in range(KILLS):
        assert operator.answers("record", "reset", "--to-start")[0] == 0
        before = head_of(store_url).batch_no
        with recorder_process(fresh_topics, store_url, tmp_path) as started:
            # A position was moved within what is known: the next is looked up, or half written.
            until(lambda before=before: head_of(store_url).batch_no > before)
            time.sleep(moment.uniform(0.0, 0.1))
            started.process.kill()
        if store_url.startswith("postgresql"):
            give_up_members(fresh_topics, store_url)

    record_all(fresh_topics.connection, store_url)
    entries = all_entries(store_url, kinds=(0, 1, 2))
    assert sorted(entry.raw or b"" for entry in entries) == sorted(
        one.value or b"" for one in [*messages, *garbage]
    )
    store = open_store(store_url)
    assert store.counts().redeliveries == 0
    store.close()
    assert len(resets_said(store_url)) >= KILLS
    assert verify(store_url).result == "intact"
