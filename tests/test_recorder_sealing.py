"""Quarantined bytes are sealed with encryption on, and the log is still known for the recorded one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from kafka_fixtures import KafkaNode
from key_stores import files_with, key_store
from recorded_kafka import Message, all_entries, message_of, publish, record_all
from replayed_cohort import discrete

from cryotrail_audit.records import Entry, IncomingRecord
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify
from cryotrail_consumers.coordinates import TopicPartition, record_hash
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.sealing import is_same_value
from cryotrail_consumers.reading.source import Extent, SourceRecord
from cryotrail_consumers.recording.continuity import TAIL_REWRITTEN, continuation
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.personal import parse_sealed
from cryotrail_schemas.topics import PROCEDURE_EVENTS

GOOD = [message_of(event)._replace(partition=3) for event in discrete()[:3]]
HL7 = b"MSH|^~\\&|LAB|PID|1||Miyazaki^Hanako||19540312"
BAD = Message(PROCEDURE_EVENTS, GOOD[0].key, HL7, partition=3)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SqliteKeyStore]:
    with key_store(tmp_path / "keys") as store:
        yield store


def quarantined(url: str) -> list[Entry]:
    return all_entries(url, kinds=(2,))


def test_quarantined_bytes_are_sealed_and_verify_without_a_key(
    fresh_topics: KafkaNode, store_url: str, keys: SqliteKeyStore
) -> None:
    empty = Message(PROCEDURE_EVENTS, GOOD[0].key, None, partition=3)
    publish(fresh_topics.connection, [GOOD[0], BAD, BAD, empty, GOOD[1]])

    tally = record_all(fresh_topics.connection, store_url, records=RecordCipher(keys))

    first, second, without_value = quarantined(store_url)
    assert (tally.recorded, tally.quarantined) == (2, 3)
    for entry in (first, second):
        sealed = parse_sealed(entry.raw)
        assert sealed is not None and b"Miyazaki" not in (entry.raw or b"")
        assert entry.key_id == sealed.key_id
        assert entry.event_id == sealed.record_id.bytes
        assert entry.content_hash == sha256(entry.raw or b"").digest()
        assert RecordCipher(keys).open(entry.raw) == HL7
    assert first.key_id != second.key_id
    assert (without_value.raw, without_value.key_id) == (None, None)
    assert verify(store_url).result == "intact"


def test_without_keys_they_are_stored_as_they_came(
    fresh_topics: KafkaNode, sqlite_url: str
) -> None:
    publish(fresh_topics.connection, [BAD])

    record_all(fresh_topics.connection, sqlite_url)

    (entry,) = quarantined(sqlite_url)
    assert (entry.raw, entry.key_id) == (HL7, None)


@pytest.mark.parametrize("afterwards", ["key at hand", "key destroyed", "encryption off"])
def test_a_log_that_ends_in_a_sealed_record_is_still_the_recorded_one(
    fresh_topics: KafkaNode, sqlite_url: str, keys: SqliteKeyStore, afterwards: str
) -> None:
    publish(fresh_topics.connection, [GOOD[0], BAD])
    record_all(fresh_topics.connection, sqlite_url, records=RecordCipher(keys))
    if afterwards == "key destroyed":
        keys.destroy(keys.scopes()[0].scope)
    publish(fresh_topics.connection, [GOOD[1]])

    cipher = None if afterwards == "encryption off" else RecordCipher(keys)
    tally = record_all(fresh_topics.connection, sqlite_url, records=cipher)

    assert (tally.recorded, tally.alarms) == (1, 0)


def test_a_record_that_was_erased_comes_again_without_its_bytes(
    fresh_topics: KafkaNode, sqlite_url: str, keys: SqliteKeyStore, tmp_path: Path
) -> None:
    cipher = RecordCipher(keys)
    publish(fresh_topics.connection, [GOOD[0], BAD, BAD, GOOD[1]])
    record_all(fresh_topics.connection, sqlite_url, records=cipher)
    erased, other = quarantined(sqlite_url)
    keys.destroy(f"record:{UUID(bytes=erased.event_id)}")

    # As after a restore from a backup: Kafka still holds what a store has not recorded yet.
    restored = f"sqlite:///{tmp_path / 'restored.sqlite3'}"
    migrate(restored)
    tally = record_all(fresh_topics.connection, restored, records=cipher)

    assert (tally.recorded, tally.quarantined, tally.alarms) == (2, 2, 0)
    again, still = quarantined(restored)
    assert (again.key_id, again.content_hash) == (erased.key_id, sha256(again.raw or b"").digest())
    assert cipher.open(again.raw) is None and cipher.open(still.raw) == HL7
    assert still.raw == other.raw
    assert files_with([HL7, b"Miyazaki"], tmp_path) == set()
    assert record_all(fresh_topics.connection, restored, records=cipher).alarms == 0


def test_no_hash_of_the_clear_bytes_is_left_in_the_store(
    fresh_topics: KafkaNode, sqlite_url: str, keys: SqliteKeyStore, tmp_path: Path
) -> None:
    publish(fresh_topics.connection, [BAD])
    record_all(fresh_topics.connection, sqlite_url, records=RecordCipher(keys))

    needles = [HL7, b"Miyazaki", sha256(HL7).digest(), record_hash(BAD.key, HL7)]
    assert files_with(needles, tmp_path) == set()


def test_what_only_the_store_refuses_is_sealed_as_well(
    fresh_topics: KafkaNode,
    sqlite_url: str,
    keys: SqliteKeyStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decode = RecordDecoder.decode

    def slipping(self: RecordDecoder, *given: Any) -> list[tuple[int, IncomingRecord]]:
        return [(kind, one._replace(occurred_us=2**70)) for kind, one in decode(self, *given)]

    monkeypatch.setattr(RecordDecoder, "decode", slipping)
    publish(fresh_topics.connection, [GOOD[0]])
    cipher = RecordCipher(keys)
    record_all(fresh_topics.connection, sqlite_url, records=cipher)

    (entry,) = quarantined(sqlite_url)
    assert entry.reason == "invalid_value" and cipher.open(entry.raw) == GOOD[0].value
    needles = [GOOD[0].value or b"", record_hash(GOOD[0].key, GOOD[0].value)]
    assert files_with(needles, tmp_path) == set()
    assert record_all(fresh_topics.connection, sqlite_url, records=cipher).alarms == 0


def test_a_tail_that_was_rewritten_is_found_below_a_sealed_record(
    fresh_topics: KafkaNode, sqlite_url: str, keys: SqliteKeyStore
) -> None:
    cipher = RecordCipher(keys)
    publish(fresh_topics.connection, [GOOD[0], BAD, GOOD[1]])
    record_all(fresh_topics.connection, sqlite_url, records=cipher)
    rewritten = _Log([GOOD[0], BAD, GOOD[2], BAD])

    with closing(open_store(sqlite_url)) as store:
        position = store.position(PROCEDURE_EVENTS, 3)
        assert position is not None
        found = continuation(
            position, TopicPartition(PROCEDURE_EVENTS, 3), Extent(0, 4), rewritten, store, cipher
        )

    # The sealed record before the change is known for the one that was recorded.
    sealed = quarantined(sqlite_url)[0].raw
    assert (found.loss, found.offset) == (TAIL_REWRITTEN, 2)
    assert found.last_record_hash == record_hash(BAD.key, sealed)


class _Log:
    """A log of messages, offsets from 0."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages

    def extents(self, partitions: object) -> Mapping[TopicPartition, Extent]:
        raise NotImplementedError

    def records(self, partition: TopicPartition, extent: Extent) -> Iterator[SourceRecord]:
        for offset in range(extent.start, extent.end):
            message = self._messages[offset]
            yield _Read(offset, -1, message.key, message.value, ())


class _Read(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def test_sealed_bytes_are_the_same_as_what_they_open_to(keys: SqliteKeyStore) -> None:
    cipher = RecordCipher(keys)
    (sealed,) = cipher.seal([(uuid4(), HL7)])
    stored = sealed.to_bytes()

    assert is_same_value(stored, HL7, cipher)
    assert not is_same_value(stored, HL7 + b"x", cipher)
    assert not is_same_value(stored[:-1] + bytes([stored[-1] ^ 1]), HL7, cipher)
    assert is_same_value(stored, HL7 + b"x", None)  # nobody here can tell
    assert is_same_value(HL7, HL7, cipher)
    assert not is_same_value(HL7, None, cipher)
