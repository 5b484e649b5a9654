"""What could not be read is read again, once, beside what it was; nothing is overwritten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from audit_records import OWNER
from event_samples import freeze_started, header, sample_id
from quarantined import (
    QuietRoom,
    entry_at,
    foreign_schema,
    foreign_value,
    headers_of,
    key_of,
    quarantined,
    replay_of,
    value_of,
)

from cryotrail_audit.errors import AuditError, NotReplayable
from cryotrail_audit.records import CONFLICT, EVENT, Entry, IncomingBatch, IncomingRecord
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.verification import verify
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.headers import pack_headers, unpack_headers
from cryotrail_consumers.decoding.known_schemas import KnownSchemas, SchemasAtHand
from cryotrail_consumers.errors import CorrectionRefused
from cryotrail_consumers.operating.operator_correction import CORRECTED, OperatorCorrection
from cryotrail_consumers.operating.quarantine_replay import QuarantineReplay
from cryotrail_consumers.reading.kafka_header_names import EscapedName
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.errors import EventRefused

FREEZE = freeze_started(header=header("freeze"))
OTHER_FREEZE = freeze_started(header=header("freeze"), cycle_no=2)


@pytest.fixture
def room(audit_store: AuditStore) -> QuietRoom:
    return QuietRoom(audit_store)


def learn(store: AuditStore) -> None:
    """The other site's schema becomes known."""
    schema = foreign_schema(FREEZE)
    store.register_schema(schema.text, schema.fingerprint, "other.site.FreezeStarted", None)


def test_a_record_whose_schema_is_known_by_now_becomes_an_event_beside_it(
    room: QuietRoom, store_url: str
) -> None:
    store = room.store
    source = room.receive(foreign_value(FREEZE), key_of(FREEZE), headers_of(FREEZE))
    assert source.reason == "unknown_fingerprint"
    assert [r.outcome for r in replay_of(store).replay([source])] == ["unreadable"]
    learn(store)

    (done,) = replay_of(store).replay([source])

    entry = entry_at(store, done.seq or 0)
    assert (done.outcome, done.event_type) == ("event", "other.site.FreezeStarted")
    assert (entry.kind, entry.source_seq) == (EVENT, source.seq)
    assert UUID(bytes=entry.event_id) == FREEZE.header.event_id
    kept = ("topic_id", "part", "incarnation", "kafka_offset", "kafka_timestamp_ms", "kafka_key",
            "kafka_headers", "raw", "producer_id", "producer_seq", "procedure_seq", "signature",
            "signing_key_id")  # fmt: skip
    assert {n: getattr(entry, n) for n in kept} == {n: getattr(source, n) for n in kept}
    assert "wrong_partition" not in (entry.reason or "")
    assert entry_at(store, source.seq) == source
    assert verify(store_url).result == "intact"


def test_an_entry_is_replayed_once(room: QuietRoom) -> None:
    store = room.store
    source = room.receive(foreign_value(FREEZE), key_of(FREEZE))
    learn(store)
    (done,) = replay_of(store).replay([source])
    before = store.head()

    (again,) = replay_of(store).replay([source])

    assert (again.outcome, again.seq) == ("replayed_before", done.seq)
    assert store.head() == before


def test_other_content_under_a_known_id_becomes_a_conflict(room: QuietRoom) -> None:
    store = room.store
    source = room.receive(foreign_value(OTHER_FREEZE), key_of(FREEZE))
    event = room.publish(FREEZE)
    learn(store)

    (done,) = replay_of(store).replay([source])

    entry = entry_at(store, done.seq or 0)
    assert done.outcome == "conflict"
    assert (entry.kind, entry.source_seq, entry.event_id) == (CONFLICT, source.seq, event.event_id)
    assert store.entry_of(FREEZE.header.event_id) == event


def test_what_an_entry_says_already_is_said_in_the_log_and_not_added(
    room: QuietRoom, store_url: str
) -> None:
    store = room.store
    first = room.receive(foreign_value(FREEZE), key_of(FREEZE))
    second = room.receive(foreign_value(FREEZE), key_of(FREEZE))
    learn(store)

    done, same = replay_of(store).replay([first, second])

    assert (done.outcome, same.outcome) == ("event", "redelivered")
    assert same.seq == done.seq
    assert store.counts().events == 1
    assert store.counts().redeliveries == 0
    said = room.newest()
    assert (said.event_type, said.raw) == (
        "replay", b'{"source_seq": %d, "repeats_seq": %d}' % (second.seq, done.seq or 0),
    )  # fmt: skip
    head = store.head()
    assert [r.outcome for r in replay_of(store).replay([second])] == ["replayed_before"]
    assert store.head() == head
    assert verify(store_url).result == "intact"


def test_what_cannot_be_read_stays_and_stops_nothing(room: QuietRoom) -> None:
    store = room.store
    bad = room.receive(b"MSH|^~\\&|LAB")
    foreign = room.receive(key_of(FREEZE)[:3] + b"x", key_of(FREEZE))
    readable = room.receive(foreign_value(FREEZE), key_of(FREEZE))
    learn(store)

    results = replay_of(store).replay([bad, foreign, readable])

    assert [(r.outcome, r.reason) for r in results[:2]] == [("unreadable", "unknown_framing")] * 2
    assert results[2].outcome == "event"
    assert set(store.replays()) == {readable.seq}


def test_what_is_not_in_quarantine_is_not_replayed(room: QuietRoom) -> None:
    event = room.publish(FREEZE)

    with pytest.raises(AuditError, match="not in quarantine"):
        replay_of(room.store).replay([event])


def test_a_look_leaves_no_trace(room: QuietRoom) -> None:
    store = room.store
    source = room.receive(value_of(FREEZE), b"no procedure")
    head, schemas = store.head(), store.schemas()
    correction = OperatorCorrection.of(value_of(FREEZE), "key mistyped", "qa-1", sample_id("x"))
    looking = QuarantineReplay(store, RecordDecoder(KnownSchemas(SchemasAtHand(store))))

    (found,) = looking.look([source], correction)

    assert (found.outcome, found.event_id) == ("readable", FREEZE.header.event_id)
    assert (store.head(), store.schemas(), store.replays()) == (head, schemas, {})


class TestCorrectedByAnOperator:
    def test_the_entry_is_marked_and_the_original_untouched(
        self, room: QuietRoom, store_url: str
    ) -> None:
        store = room.store
        source = room.receive(value_of(FREEZE)[:-2], b"wrong key", headers_of(FREEZE))
        correction = OperatorCorrection.of(
            value_of(FREEZE), "two bytes lost in transfer", "qa-1", sample_id("x")
        )

        (done,) = replay_of(store).replay([source], correction)

        entry = entry_at(store, done.seq or 0)
        assert entry.kind == EVENT
        assert entry.reason == f"{CORRECTED}: two bytes lost in transfer; decided by qa-1"
        assert (entry.raw, entry.source_seq) == (value_of(FREEZE), source.seq)
        assert entry.procedure_id == FREEZE.header.procedure_id.bytes
        assert (entry.kafka_key, entry.kafka_headers) == (source.kafka_key, source.kafka_headers)
        assert (entry.signing_key_id, entry.signature) == (None, None)
        assert entry_at(store, source.seq) == source
        assert verify(store_url).result == "intact"

    def test_an_event_as_json_without_an_id_gets_that_of_the_quarantined_entry(
        self, room: QuietRoom
    ) -> None:
        source = room.receive(b"MSH|^~\\&|LAB")
        text = b"""{"type": "FreezeStarted", "probe_id": "1", "cycle_no": 1, "header": {
            "procedure_id": "7f0e5b1c-0000-4000-8000-000000000000", "subject_id":
            "7f0e5b1c-0000-4000-8000-000000000001", "actor_role": "NURSE", "data_origin": "LIVE",
            "occurred_at": "2026-11-22T10:24:00Z", "time_basis": "MANUAL"}}"""
        made = OperatorCorrection.of(text, "typed from paper", "qa-1", UUID(bytes=source.event_id))

        (done,) = replay_of(room.store).replay([source], made)

        entry = entry_at(room.store, done.seq or 0)
        assert (entry.kind, entry.event_id) == (EVENT, source.event_id)
        assert entry.content_hash == sha256((entry.raw or b"")[10:]).digest()

    def test_what_still_cannot_be_read_is_not_kept(self, room: QuietRoom) -> None:
        source = room.receive(b"MSH|^~\\&|LAB")
        head = room.store.head()
        made = OperatorCorrection.of(b"PID|1", "typed from paper", "qa-1", sample_id("x"))

        (found,) = replay_of(room.store).replay([source], made)

        assert (found.outcome, found.reason) == ("unreadable", "unknown_framing")
        assert room.store.head() == head

    def test_header_names_that_are_not_utf_8_stay_as_they_came(self, room: QuietRoom) -> None:
        name = EscapedName(b"caf\xe9".decode("utf-8", "surrogateescape"))
        source = room.receive(value_of(FREEZE), key_of(FREEZE), [(name, b"1")])
        assert source.reason == "undecodable_headers"
        made = OperatorCorrection.of(value_of(FREEZE), "header dropped", "qa-1", sample_id("x"))

        (done,) = replay_of(room.store).replay([source], made)

        assert entry_at(room.store, done.seq or 0).kafka_headers == source.kafka_headers

    @pytest.mark.parametrize("text", ["", " ", "two\nlines", "nul\0", "x" * 501])
    def test_reason_and_person_are_one_line_each(self, text: str) -> None:
        with pytest.raises(CorrectionRefused):
            OperatorCorrection.of(b"", text, "qa-1", sample_id("x"))
        with pytest.raises(CorrectionRefused):
            OperatorCorrection.of(b"", "lost", text, sample_id("x"))

    def test_json_that_is_no_event_is_refused(self) -> None:
        with pytest.raises(EventRefused):
            OperatorCorrection.of(b'{"type": "Nothing"}', "lost", "qa-1", sample_id("x"))
        with pytest.raises(CorrectionRefused):
            OperatorCorrection.of(b"{not json", "lost", "qa-1", sample_id("x"))


class TestSealedBytes:
    @pytest.fixture
    def cipher(self, tmp_path: Path) -> Iterator[RecordCipher]:
        with SqliteKeyStore(tmp_path / "keys.sqlite3", b"k" * 32) as keys:
            yield RecordCipher(keys)

    def test_they_are_opened_where_the_key_is(
        self, audit_store: AuditStore, cipher: RecordCipher
    ) -> None:
        source = QuietRoom(audit_store, cipher).receive(foreign_value(FREEZE), key_of(FREEZE))
        assert foreign_value(FREEZE) not in (source.raw or b"")
        learn(audit_store)

        (without,) = replay_of(audit_store).replay([source])
        (done,) = replay_of(audit_store, cipher).replay([source])

        assert (without.outcome, without.reason) == ("unreadable", "key_missing")
        assert entry_at(audit_store, done.seq or 0).raw == foreign_value(FREEZE)


class TestTheStoreRefuses:
    @pytest.mark.parametrize(
        "change", [{"kafka_offset": 99}, {"part": 1}, {"source_seq": 0}, {"source_seq": 10**6}]
    )
    def test_a_replay_that_is_not_of_its_source(
        self, room: QuietRoom, change: dict[str, int]
    ) -> None:
        source = room.receive(b"\xff")
        event = room.publish(FREEZE)
        head = room.store.head()
        record = replayed(event)._replace(source_seq=source.seq, kafka_offset=source.kafka_offset)

        with pytest.raises(NotReplayable):
            room.store.append(batch(record._replace(**change)))

        assert room.store.head() == head

    def test_a_second_replay_with_other_content(self, room: QuietRoom) -> None:
        source = room.receive(foreign_value(FREEZE), key_of(FREEZE))
        learn(room.store)
        (done,) = replay_of(room.store).replay([source])
        other = replayed(room.publish(EVENTS[0]))._replace(
            event_id=b"o" * 16, source_seq=source.seq, kafka_offset=source.kafka_offset
        )

        with pytest.raises(NotReplayable, match=f"see entry {done.seq}"):
            room.store.append(batch(other))

    def test_two_replays_of_one_entry(self, room: QuietRoom) -> None:
        source = room.receive(b"\xff")
        record = replayed(room.publish(FREEZE))._replace(
            source_seq=source.seq, kafka_offset=source.kafka_offset
        )

        with pytest.raises(NotReplayable, match="twice"):
            room.store.append(batch(record, record))

    def test_of_two_at_a_time_one_appends(self, room: QuietRoom, store_url: str) -> None:
        sources = [room.receive(foreign_value(e), key_of(e)) for e in EVENTS]
        learn(room.store)
        results: list[list[str]] = []

        def run() -> None:
            with closing(open_store(store_url)) as store:
                results.append([r.outcome for r in replay_of(store).replay(sources)])

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [sorted(each) for each in zip(*results, strict=True)] == [
            ["event", "replayed_before", "replayed_before"]
        ] * len(sources)
        assert room.store.counts().events == len(sources)
        assert len(quarantined(room.store)) == len(sources)


EVENTS = [freeze_started(header=header(f"freeze {n}")) for n in range(5)]


def replayed(entry: Entry) -> IncomingRecord:
    """An entry's columns as a record."""
    return IncomingRecord(*(getattr(entry, name) for name in IncomingRecord._fields))


def batch(*records: IncomingRecord) -> IncomingBatch:
    """A batch of replays alone: it belongs to no partition."""
    return IncomingBatch([(EVENT, record) for record in records], (), (), OWNER)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("a", b"1"), ("a", None), ("", b"")],
        [(EscapedName(b"\xe9".decode("utf-8", "surrogateescape")), b"x" * 300), ("ü", b"2")],
    ],
)
def test_stored_headers_are_given_back_as_they_came(headers: list[tuple[str, bytes]]) -> None:
    packed = pack_headers(headers, any_name=True)

    found = unpack_headers(packed)

    assert found == headers
    assert [type(name) for name, _ in found] == [type(name) for name, _ in headers]
    assert pack_headers(found, any_name=True) == packed
