"""Any history of records, resets and crashes leaves the coordinates that a simple model expects."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from log_in_memory import CLUSTER, LogInMemory, LogReaderInMemory, SourceInMemory
from many_messages import many_messages
from reset_positions import resets_said

from cryotrail_audit.origin.kafka_records import KafkaRecords
from cryotrail_audit.records import IncomingBatch
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.verification import verify
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.operating.position_reset import Target, apply_resets, plan_resets
from cryotrail_consumers.recording.recorder import Recorder

PARTITIONS = 2
POLLED_AT_ONCE = 3
STEPS = 120
MESSAGES = list(many_messages(400))


def steps(seed: int) -> Iterator[tuple[Any, ...]]:
    """A history; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(STEPS):
        part = chance.randrange(PARTITIONS)
        kinds = chance.choices(
            ["new", "again", "garbage", "mark"], [4, 1, 1, 2], k=chance.randint(1, 8)
        )
        yield chance.choices(
            [
                ("publish", part, kinds),
                ("record",),
                ("crash", chance.randint(1, 4), chance.choice(["before", "after"])),
                ("reset", part, chance.random()),
            ],
            [3, 1, 1, 3],
        )[0]


class Died(Exception):
    """Stands for the death of the recorder at a commit."""


class History:
    """One topic, its records in a store, and what a list says that the store must hold."""

    def __init__(self, store: AuditStore, records: KafkaRecords, decoder: RecordDecoder) -> None:
        self.log = LogInMemory(PARTITIONS)
        self.store, self._records, self._decoder = store, records, decoder
        self.taken: dict[TopicPartition, set[int]] = {one: set() for one in self.log.partitions}
        self.position = dict.fromkeys(self.log.partitions, 0)
        self.resets = 0
        self._published: list[Any] = []

    def publish(self, part: int, kinds: list[str]) -> None:
        """Write records: new events, known ones again, what nobody can read, and marks."""
        partition = self.log.partitions[part]
        for kind in kinds:
            if kind == "mark":
                self.log.add_mark(partition)
                continue
            if kind == "again" and self._published:
                message = self._published[len(self._published) // 2]
            else:
                message = MESSAGES[len(self._published)]
                self._published.append(message)
            value = b"?" if kind == "garbage" else message.value
            self.log.add(partition, message.key, value)

    def record(self) -> None:
        """Run a recorder until it has caught up."""
        source = SourceInMemory(self.log, POLLED_AT_ONCE)
        recorder = Recorder(self.store, lambda: source, self._decoder)
        tally = recorder.run(until_caught_up=True)
        assert tally.alarms == 0
        for partition in self.log.partitions:
            self._took(partition, len(self.log.logs[partition]))

    def crash(self, at: int, moment: str) -> None:
        """The same, and it dies at one of its commits."""
        append = self.store.append
        left = count(at, -1)

        def dying(batch: IncomingBatch) -> Any:
            if next(left) > 1:
                return append(batch)
            if moment == "after":
                append(batch)
            raise Died

        source = SourceInMemory(self.log, POLLED_AT_ONCE)
        try:
            with patch.object(self.store, "append", dying):
                Recorder(self.store, lambda: source, self._decoder).run(until_caught_up=True)
        except Died:
            pass
        for partition in self.log.partitions:
            position = self.store.position(*partition)
            if position is not None:
                assert position.next_offset >= self.position[partition]
                self._took(partition, position.next_offset)

    def reset(self, part: int, share: float) -> None:
        """Move a position back or forth; unread records are left so."""
        partition = self.log.partitions[part]
        asked = round(share * len(self.log.logs[partition]))
        (planned,) = plan_resets(
            self.store,
            LogReaderInMemory(self.log),
            CLUSTER,
            self.log.topics,
            [partition],
            Target(offset=asked),
        )
        # Behind the last record before it.
        expected = max((offset + 1 for offset in self.log.offsets(partition, asked)), default=0)
        passed = range(self.position[partition], expected)
        assert planned.to_offset == expected
        assert planned.unread_count == len(set(passed) - self.taken[partition])
        if planned.moves:
            apply_resets(self.store, CLUSTER, self.log.topics, [planned], "because", "nobody")
            self.resets += 1
        self.position[partition] = expected

    def check(self) -> None:
        """The store holds each record that was taken, once."""
        position = self.store.position(self.log.name, 0) or self.store.position(self.log.name, 1)
        topic_id = -1 if position is None else position.topic_id
        entries = [
            (entry.part, entry.kafka_offset)
            for rows in self.store.entries(kinds=(0, 1, 2))
            for entry in rows
            if entry.topic_id == topic_id
        ]
        assert max(Counter(entries).values(), default=1) == 1
        for partition in self.log.partitions:
            found = self._records.within(topic_id, partition.partition, 0, 10_000)
            assert set(found) == self.taken[partition]

    def _took(self, partition: TopicPartition, end: int) -> None:
        read = self.log.offsets(partition, end)
        self.taken[partition] |= {one for one in read if one >= self.position[partition]}
        self.position[partition] = max([self.position[partition], *(one + 1 for one in read)])


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history_of_resets_and_crashes_records_each_record_once(
    store_url: str, seed: int
) -> None:
    with closing(open_store(store_url)) as store, KafkaRecords.open(store_url) as records:
        history = History(store, records, RecordDecoder(KnownSchemas(store)))
        for name, *arguments in steps(seed):
            getattr(history, name)(*arguments)
            history.check()
        history.record()
        history.check()

    assert len(resets_said(store_url)) == history.resets > STEPS / 10
    assert verify(store_url).result == "intact"
