"""A log that continues one that was restored from a backup: what is refused, written and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest
from audit_records import OWNER
from continued_log import SIGNED_S, Restored, entries, going_on, restored, signed
from handmade_case import Case
from recorded_events import EventRecorder
from store_tables import tables_of

from cryotrail_audit.as_of import known_event
from cryotrail_audit.checkpoints.checkpoint import Checkpoint, batches_origin
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused, SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.note import parse
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.continuing import continue_log
from cryotrail_audit.errors import Fenced, NotContinued
from cryotrail_audit.origin.kafka_records import KafkaRecords
from cryotrail_audit.origin.stored import read_recorded
from cryotrail_audit.records import EVENT, QUARANTINED, IncomingBatch
from cryotrail_audit.snapshot import snapshot
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.merkle import EMPTY_ROOT


@pytest.fixture
def backed_up(store_url: str) -> Iterator[Restored]:
    with restored(store_url) as made:
        yield made


@pytest.fixture
def store(backed_up: Restored) -> Iterator[AuditStore]:
    with closing(open_store(backed_up.url)) as store:
        yield store


def record_again(store: AuditStore, made: Restored) -> EventRecorder:
    """What a recorder does: claim anew, go on from the position, read again what was lost."""
    position = store.position("procedure-events", 0)
    assert position is not None and position.next_offset == len(made.kept)
    recorder = going_on(store, made.kept)
    recorder.record(*made.lost)
    return recorder


def test_entry_0_of_the_new_log_says_what_was_signed_and_what_is_left(
    backed_up: Restored, store: AuditStore
) -> None:
    size, old = store.head().tree_size, store.origin()
    signed_size = int(backed_up.last.split(b"\n")[1])

    made = backed_up.continued(pinned_key=backed_up.key.pinned)

    first = entries(store, size - 1, size)[0]
    assert (first.log_id, first.seq, first.event_type) == (2, 0, "continued")
    payload = json.loads(first.raw or b"")
    assert payload.pop("signed_root")
    assert payload == {
        "origin": old,
        "signed_size": signed_size,
        "restored_size": size,
        "reason": "disk failed",
    }
    assert (made.origin, store.origin()) == (f"{old}/2", f"{old}/2")
    assert (made.continues.extends_size, made.continues.extends_where) == (size, "given")
    assert made.continues.is_signature_checked


def test_the_lost_events_come_again_and_everything_verifies(
    backed_up: Restored, store: AuditStore
) -> None:
    before = store.head().tree_size
    backed_up.continued()
    recorder = record_again(store, backed_up)
    recorder.record(backed_up.kept[0], backed_up.lost[0])

    found = entries(store)
    assert [store.place_of(entry) for entry in found] == list(range(len(found)))
    assert [entry.seq for entry in found] == [*range(before), *range(len(found) - before)]
    assert len(found) == store.head().tree_size
    events = [UUID(bytes=e.event_id) for e in found if e.kind == EVENT]
    assert events == [event.header.event_id for event in (*backed_up.kept, *backed_up.lost)]
    counts = store.counts()
    assert (counts.events, counts.conflicts, counts.redeliveries) == (len(events), 0, 2)
    assert sum(counts[:4]) == len(found)
    verified = verify(backed_up.url, checkpoint=backed_up.early)
    assert (verified.result, verified.reason) == ("intact", None)


def test_every_list_of_any_range_and_length_is_of_places(
    backed_up: Restored, store: AuditStore
) -> None:
    before = store.head().tree_size
    backed_up.continued()
    record_again(store, backed_up)
    whole = entries(store)

    for after in range(-1, len(whole), 3):
        for through in (None, before - 1, before, len(whole) - 2):
            end = len(whole) if through is None else through + 1
            for rows in (1, 4, 5000):
                listed = entries(store, after, through, batch_rows=rows)  # type: ignore[arg-type]
                assert listed == whole[after + 1 : end]
    assert entries(store, kinds=(3,)) == [entry for entry in whole if entry.kind == 3]


def test_a_redelivery_names_the_place_of_its_entry(backed_up: Restored, store: AuditStore) -> None:
    backed_up.continued()
    recorder = record_again(store, backed_up)
    old, new = backed_up.kept[1], backed_up.lost[1]
    first = len(backed_up.kept) + len(backed_up.lost)

    outcome = recorder.record(old, new)

    assert outcome.redelivered == 2
    again = store.recorded_at(1, 0, first, first + 1)
    places = []
    for offset, event in ((first, old), (first + 1, new)):
        entry = store.entry_of(event.header.event_id)
        assert entry is not None and again[offset] == (entry.kafka_key, entry.raw)
        places.append(store.place_of(entry))
    with tables_of(backed_up.url) as tables:
        rows = tables.execute("select seq, log_id from redelivery order by kafka_offset")
    assert rows == [(place, 2) for place in places]
    with KafkaRecords.open(backed_up.url) as records:
        copies = records.within(1, 0, first, first + 1)
        assert [copies[offset].seq for offset in sorted(copies)] == places
    with snapshot(backed_up.url) as connection:
        recorded = read_recorded(connection, old.header.procedure_id)
    by_place = {entry.seq: UUID(bytes=entry.event_id) for entry in recorded.entries}
    said = [by_place[one.seq] for one in recorded.redeliveries]
    assert said == [old.header.event_id, new.header.event_id]


def test_a_procedure_is_numbered_on_and_read_whole(backed_up: Restored, store: AuditStore) -> None:
    backed_up.continued()
    record_again(store, backed_up)

    procedure_id = backed_up.kept[0].header.procedure_id
    listed = [e for some in store.procedure_entries(procedure_id, batch_rows=3) for e in some]

    assert [entry.procedure_entry_no for entry in listed] == list(range(1, len(listed) + 1))
    assert {entry.log_id for entry in listed} == {1, 2}
    place = store.place_of(listed[6])
    until = [e for some in store.procedure_entries(procedure_id, place) for e in some]
    assert until == listed[:7]


def test_what_was_known_then_is_told_over_both_logs(backed_up: Restored, store: AuditStore) -> None:
    before = store.head()
    backed_up.continued()
    opened = store.head()
    record_again(store, backed_up)
    now = store.head()
    last = backed_up.lost[-1].header.event_id

    assert store.head(before.tree_size) == before
    assert store.head(opened.tree_size) == opened
    assert store.head(now.tree_size) == now
    assert [store.head(size).tree_size for size in range(now.tree_size)] == list(
        range(now.tree_size)
    )
    assert before.recorded_us is not None and now.recorded_us is not None
    assert store.size_as_of(before.recorded_us) == before.tree_size
    assert store.size_as_of(now.recorded_us) == now.tree_size
    assert store.entry_of(last, before.tree_size - 1) is None
    assert known_event(store, last, opened.tree_size) is None
    known = known_event(store, last, now.tree_size)
    assert known is not None and known.entry.log_id == 2


def test_a_correction_in_the_new_log_corrects_an_event_of_the_old_one(
    backed_up: Restored, store: AuditStore
) -> None:
    backed_up.continued()
    recorder = record_again(store, backed_up)
    target = backed_up.kept[1]
    amended = Case(1).amend(target, "/header/occurred_at", Case(1).time(3))
    recorder.record(amended)

    known = known_event(store, target.header.event_id, store.head().tree_size)

    assert known is not None and known.entry.log_id == 1
    (correction,) = known.corrections
    assert correction.place == store.place_of(correction.entry) > correction.entry.seq
    assert known.current is not None and known.current.amended_paths


def test_a_quarantined_entry_of_the_old_log_is_replayed_in_the_new_one(store_url: str) -> None:
    with closing(open_store(store_url)) as store:
        recorder = EventRecorder(store)
        event, *_ = Case(1).whole()
        good = recorder.incoming(event)
        bad = good._replace(event_id=bytes(16), event_type=None, reason="unknown_fingerprint")
        recorder.append([(QUARANTINED, bad)])
        (quarantined,) = entries(store, kinds=(QUARANTINED,))
        key, head = LogKey.create(store.origin()), store.head()
        text = Checkpoint(store.origin(), head.tree_size + 1, head.root).to_text()
        continue_log(store_url, [key.sign(text, 1).to_bytes()], "cut")
        recorder = EventRecorder(store, first_offset=1)
        recorder.record(*Case(2).whole()[:3])
        at = (quarantined.topic_id, quarantined.part, quarantined.incarnation)
        place = store.place_of(quarantined)
        replayed = good._replace(
            source_seq=place, kafka_offset=quarantined.kafka_offset,
            topic_id=at[0], part=at[1], incarnation=at[2],
        )  # fmt: skip
        store.append(IncomingBatch([(EVENT, replayed)], (), (), owner=""))

        became = store.replays([place])[place]
        entry = store.entry_of(event.header.event_id)
        assert entry is not None and entry.log_id == 2
        assert (became.outcome, became.seq) == ("event", store.place_of(entry))


def test_a_recorder_that_still_runs_is_fenced_until_it_claims_again(
    backed_up: Restored, store: AuditStore
) -> None:
    running = EventRecorder(store, first_offset=len(backed_up.kept))
    backed_up.continued()

    with pytest.raises(Fenced, match="claimed by nobody"):
        running.record(*backed_up.lost)

    assert store.claim(OWNER, 1, [0]) == {0: 1}


def test_a_log_that_lost_nothing_is_not_continued(store_url: str) -> None:
    with closing(open_store(store_url)) as store:
        EventRecorder(store).record(*Case(1).whole())
        key = LogKey.create(store.origin())
        note = signed(store, key)
        EventRecorder(store, first_offset=20).record(*Case(2).whole())

        with pytest.raises(NotContinued, match="nothing to continue"):
            continue_log(store_url, [note], "by mistake")
        assert len(store.places().logs) == 1


def test_a_checkpoint_of_another_log_or_key_is_refused(
    backed_up: Restored, store: AuditStore
) -> None:
    origin = store.origin()
    key = LogKey.create("elsewhere.example/log")
    other = key.sign(Checkpoint("elsewhere.example/log", 99, bytes(32)).to_text(), 1)
    batches = backed_up.key.sign(Checkpoint(batches_origin(origin), 99, bytes(32)).to_text(), 1)

    for note in (other, batches):
        with pytest.raises(NotContinued, match="the newest log of the store is"):
            continue_log(backed_up.url, [note.to_bytes()], "x")
    with pytest.raises(SignatureRefused):
        backed_up.continued(pinned_key=LogKey.create(origin).pinned)
    with pytest.raises(NoteRefused):
        continue_log(backed_up.url, [b"no note\n"], "x")
    with pytest.raises(NotContinued, match="no reason"):
        continue_log(backed_up.url, [backed_up.last], " ")
    for name in (origin, "other.example/log/batches"):
        with pytest.raises(NotContinued, match="cannot be the name"):
            backed_up.continued(origin=name)
    assert len(store.places().logs) == 1


def test_what_was_appended_after_the_restore_is_a_fork_and_is_not_continued(
    backed_up: Restored, store: AuditStore
) -> None:
    others = [event for number in (3, 4) for event in Case(number).whole()]
    EventRecorder(store, first_offset=len(backed_up.kept)).record(*others)
    assert store.head().tree_size >= int(backed_up.last.split(b"\n")[1])

    with pytest.raises(NotContinued, match="does not extend the given checkpoint"):
        backed_up.continued()


def test_without_an_older_checkpoint_the_beginning_is_not_known(backed_up: Restored) -> None:
    made = continue_log(backed_up.url, [backed_up.last], "disk failed", origin="new.example/log")

    assert (made.origin, made.continues.extends_size) == ("new.example/log", None)
    assert verify(backed_up.url).result == "intact"
    broken = verify(backed_up.url, checkpoint=backed_up.last)
    assert broken.result == "broken" and "shorter than signed" in str(broken.reason)


def test_a_continued_log_can_be_restored_and_continued_again(
    backed_up: Restored, store: AuditStore
) -> None:
    backed_up.continued()
    record_again(store, backed_up)
    size = store.places().newest.size
    origin = store.origin()
    key = LogKey.create(origin)
    lost = key.sign(Checkpoint(origin, size + 7, bytes(32)).to_text(), 1).to_bytes()

    with pytest.raises(NotContinued, match="was continued already"):
        backed_up.continued()
    made = continue_log(backed_up.url, [lost], "again")

    assert made.origin == origin.removesuffix("/2") + "/3"
    EventRecorder(store, first_offset=100).record(*Case(5).whole())
    found = entries(store)
    assert [store.place_of(entry) for entry in found] == list(range(len(found)))
    assert verify(backed_up.url).result == "intact"


def test_a_backup_from_before_the_first_entry_is_continued(store_url: str) -> None:
    with closing(open_store(store_url)) as store:
        origin = store.origin()
        lost = LogKey.create(origin).sign(Checkpoint(origin, 7, bytes(32)).to_text(), 1)

        made = continue_log(store_url, [lost.to_bytes()], "there was no later backup")

        assert (made.continues.restored_size, made.continues.extends_size) == (0, None)
        EventRecorder(store).record(*Case(1).whole())
        found = entries(store, batch_rows=3)
        assert [store.place_of(entry) for entry in found] == list(range(len(found)))
        assert {entry.log_id for entry in found} == {2}
    assert verify(store_url).result == "intact"


def test_the_new_log_says_again_what_its_entries_refer_to(
    backed_up: Restored, store: AuditStore
) -> None:
    said = [(e.event_type, e.raw) for e in entries(store, kinds=(3,))]
    backed_up.continued()

    _continued, *again = [e for e in entries(store, kinds=(3,)) if e.log_id == 2]
    assert [(e.event_type, e.raw) for e in again] == said


def test_what_was_signed_while_the_log_was_continued_stays_with_its_own_log(
    backed_up: Restored,
) -> None:
    """A signer that was not stopped adds its notes when the new log is there already."""
    with closing(SignedNotes.open(backed_up.url)) as notes:
        backed_up.continued()
        notes.add([parse(backed_up.early)], SIGNED_S * 1_000_000)

    assert verify(backed_up.url).result == "intact"
    with (
        closing(SignedNotes.open(backed_up.url)) as notes,
        pytest.raises(SigningRefused, match="no log of the store"),
    ):
        other = LogKey.create("elsewhere.example/log")
        notes.add([other.sign(Checkpoint(other.name, 0, EMPTY_ROOT).to_text(), 1)], 1)
