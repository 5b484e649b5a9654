"""Destroying a key: refused under a hold, stated once it is done, and the log stays intact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from audit_records import record
from event_samples import PROCEDURE_ID, SUBJECT_ID, freeze_started, header, telemetry_chunk
from key_stores import key_store
from recorded_events import EventRecorder

from cryotrail_audit.decoded import decoded_event
from cryotrail_audit.erasure.erase import Erased, erase_record, erase_subject, erasures
from cryotrail_audit.erasure.holds import holds_in_force, release_hold, set_hold
from cryotrail_audit.erasure.personal import personal_text
from cryotrail_audit.erasure.trace import trace
from cryotrail_audit.errors import AuditError, ErasureRefused
from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_producers.personal_cipher import PersonalCipher, RecordCipher
from cryotrail_schemas import events
from cryotrail_schemas.errors import ScopeErased
from cryotrail_schemas.personal import subject_scope

OTHER = UUID(int=0x0DD)
BASIS, DECIDED_BY = "GDPR 17(1)(a), request 7", "dpo-2"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SqliteKeyStore]:
    with key_store(tmp_path / "keys") as store:
        yield store


def ended(text: str = "a private reason", subject_id: UUID = SUBJECT_ID) -> events.Event:
    return events.ProcedureEnded(
        header=header(event_id=uuid4(), subject_id=subject_id),
        status=events.EndStatus.ABORTED,
        abort_reason_text=text,
    )


def recorded(store: AuditStore, keys: SqliteKeyStore) -> list[events.Event]:
    """Two subjects' events, encrypted, and some without text."""
    cipher = PersonalCipher(keys)
    sent = [
        cipher.encrypt(event)
        for event in (ended(), freeze_started(), ended("other", OTHER), telemetry_chunk())
    ]
    EventRecorder(store).record(*sent)
    return sent


def erase(store: AuditStore, keys: SqliteKeyStore, subject_id: UUID = SUBJECT_ID) -> Erased:
    found = trace(store, subject_id)
    return erase_subject(store, keys, subject_id, found, BASIS, DECIDED_BY)


def text_of(store: AuditStore, keys: SqliteKeyStore | None, event: events.Event) -> object:
    entry = store.entry_of(event.header.event_id)
    assert entry is not None
    reader = None if keys is None else PersonalCipher(keys)
    shown = personal_text(store, decoded_event(entry, store.schemas()), keys, reader)
    return None if shown is None else shown.as_json()


def test_an_erasure_destroys_the_key_and_states_it_in_the_log(
    audit_store: AuditStore, store_url: str, keys: SqliteKeyStore
) -> None:
    mine, _freeze, others, _chunk = recorded(audit_store, keys)
    before = audit_store.head()
    key_id = mine.header.personal_key_id
    assert key_id is not None
    assert text_of(audit_store, keys, mine) == {
        "state": "readable",
        "key_id": key_id.hex(),
        "texts": {"/abort_reason_text": "a private reason"},
    }

    done = erase(audit_store, keys)

    (statement,) = erasures(audit_store)
    assert statement.seq == done.seq == before.tree_size
    assert statement.payload["key_ids"] == [key_id.hex()]
    assert statement.payload["basis"] == BASIS
    assert statement.payload["decided_by"] == DECIDED_BY
    assert statement.payload["subject_id"] == str(SUBJECT_ID)
    assert statement.payload["counts"] == {
        "entries": 3, "encrypted": 1, "withheld": 0, "in_clear": 0,
        "quarantined_sealed": 0, "quarantined_in_clear": 0,
    }  # fmt: skip
    assert verify(store_url).result == "intact"
    assert text_of(audit_store, keys, mine) == {"state": "erased", "key_id": key_id.hex()}
    # Who has no key store learns it from the log.
    assert text_of(audit_store, None, mine) == {"state": "erased", "key_id": key_id.hex()}
    other_key = others.header.personal_key_id
    assert other_key is not None
    assert text_of(audit_store, None, others) == {
        "state": "key not at hand",
        "key_id": other_key.hex(),
    }
    assert text_of(audit_store, keys, others) == {
        "state": "readable",
        "key_id": other_key.hex(),
        "texts": {"/abort_reason_text": "other"},
    }


def test_doing_it_again_states_nothing_twice(audit_store: AuditStore, keys: SqliteKeyStore) -> None:
    recorded(audit_store, keys)
    first = erase(audit_store, keys)

    again = erase(audit_store, keys)

    assert again == first._replace(stated_before=True)
    assert len(erasures(audit_store)) == 1


def test_after_a_crash_before_the_entry_the_next_call_states_it(
    audit_store: AuditStore, keys: SqliteKeyStore
) -> None:
    mine, *_ = recorded(audit_store, keys)
    keys.destroy(subject_scope(SUBJECT_ID))
    assert erasures(audit_store) == []

    done = erase(audit_store, keys)

    assert done.key_ids == (mine.header.personal_key_id,)
    assert [statement.seq for statement in erasures(audit_store)] == [done.seq]


def test_a_hold_forbids_it_until_it_is_released(
    audit_store: AuditStore, keys: SqliteKeyStore
) -> None:
    mine, *_ = recorded(audit_store, keys)
    hold = set_hold(audit_store, SUBJECT_ID, "lawsuit 12", "legal-1")
    second = set_hold(audit_store, SUBJECT_ID, "recall", "qa-1")
    set_hold(audit_store, OTHER, "recall", "qa-1")

    with pytest.raises(ErasureRefused, match=f"hold, set by entry {hold} .legal-1: lawsuit 12"):
        erase(audit_store, keys)
    with pytest.raises(AuditError, match="several holds"):
        release_hold(audit_store, SUBJECT_ID, "settled", "legal-1")
    release_hold(audit_store, SUBJECT_ID, "settled", "legal-1", hold)
    with pytest.raises(ErasureRefused, match=f"entry {second}"):
        erase(audit_store, keys)
    assert keys.key_of(mine.header.personal_key_id or b"") is not None
    assert erasures(audit_store) == []

    release_hold(audit_store, SUBJECT_ID, "over", "qa-1")

    assert [item.subject_id for item in holds_in_force(audit_store)] == [OTHER]
    with pytest.raises(AuditError, match="no such hold"):
        release_hold(audit_store, SUBJECT_ID, "over", "qa-1")
    assert erase(audit_store, keys).key_ids == (mine.header.personal_key_id,)


def test_a_subject_that_nobody_knows_is_refused_and_not_closed(
    audit_store: AuditStore, keys: SqliteKeyStore
) -> None:
    recorded(audit_store, keys)

    with pytest.raises(ErasureRefused, match="neither the log nor the key store"):
        erase(audit_store, keys, UUID(int=0xBAD))

    assert keys.scopes(subject_scope(UUID(int=0xBAD))) == []


def test_text_that_was_published_in_clear_is_counted_and_named(
    audit_store: AuditStore, keys: SqliteKeyStore
) -> None:
    recorder = EventRecorder(audit_store)
    amended = events.EventAmended(
        header=header(event_id=uuid4()),
        target_event_id=uuid4(),
        changes=(events.FieldChange(path="/detail_text", value_json='"in clear"'),),
        reason=events.CorrectionReason.ENTERED_IN_ERROR,
    )
    clear, hidden = ended(), PersonalCipher(keys).encrypt(ended())
    recorder.record(clear, hidden, amended, ended("of another", OTHER))

    found = trace(audit_store, SUBJECT_ID)

    assert [(one.event_id, one.pointers) for one in found.clear] == [
        (clear.header.event_id, ("/abort_reason_text",)),
        (amended.header.event_id, ("/changes/0/value_json",)),
    ]
    assert found.procedure_ids == {PROCEDURE_ID}
    erase(audit_store, keys)
    (statement,) = erasures(audit_store)
    assert statement.payload["counts"]["in_clear"] == 2
    assert statement.payload["clear_seqs"] == [one.seq for one in found.clear]


def test_keys_of_another_key_store_are_named_not_claimed(
    audit_store: AuditStore, keys: SqliteKeyStore, tmp_path: Path
) -> None:
    with key_store(tmp_path / "another room") as others:
        sent = PersonalCipher(others).encrypt(ended())
        EventRecorder(audit_store).record(sent)

        done = erase(audit_store, keys)

        assert done.key_ids == ()
        assert done.keys_elsewhere == (sent.header.personal_key_id,)
        assert others.key_of(done.keys_elsewhere[0]) is not None
    # The subject is closed here as well: nothing readable is written from here on.
    with pytest.raises(ScopeErased):
        keys.data_key(subject_scope(SUBJECT_ID))


def test_late_events_of_an_erased_subject_are_recorded_without_their_text(
    audit_store: AuditStore, store_url: str, keys: SqliteKeyStore
) -> None:
    cipher = PersonalCipher(keys)
    clear = ended()
    recorder = EventRecorder(audit_store)
    recorder.record(cipher.encrypt(clear))
    assert recorder.record(cipher.encrypt(clear)).redelivered == 1
    erase(audit_store, keys)

    late = PersonalCipher(keys).encrypt(ended("late"))
    fed_again = PersonalCipher(keys).encrypt(clear)
    outcome = recorder.record(late, fed_again)

    # Fed again its bytes cannot be made any more: kept beside the first, and without the text.
    assert (outcome.recorded, outcome.conflicts, outcome.redelivered) == (1, 1, 0)
    shown = text_of(audit_store, keys, late)
    assert isinstance(shown, dict)
    assert (shown["state"], shown["withheld"]) == ("erased", True)
    assert trace(audit_store, SUBJECT_ID).counts()["withheld"] == 2
    assert verify(store_url).result == "intact"


def test_a_changed_ciphertext_is_told_from_an_erased_one(
    audit_store: AuditStore, keys: SqliteKeyStore
) -> None:
    mine, *_ = recorded(audit_store, keys)
    entry = audit_store.entry_of(mine.header.event_id)
    assert entry is not None
    document = decoded_event(entry, audit_store.schemas())
    assert document is not None
    document["header"]["personal_ciphertext"] = bytes(40).hex()

    shown = personal_text(audit_store, document, keys, PersonalCipher(keys))

    assert shown is not None and shown.state == "damaged"


def test_one_quarantined_record_is_erased_and_the_others_stay(
    audit_store: AuditStore, store_url: str, keys: SqliteKeyStore
) -> None:
    recorder, cipher = EventRecorder(audit_store), RecordCipher(keys)
    recorder.record(ended())
    ids = [uuid4(), uuid4()]
    sealed = cipher.seal([(one, b"MSH|name in clear") for one in ids])
    rows = [
        (
            QUARANTINED,
            record(
                offset, event_id=one.record_id.bytes, event_type=None, schema_sha256=None,
                topic_id=1, procedure_id=PROCEDURE_ID.bytes, key_id=one.key_id,
                raw=one.to_bytes(), content_hash=sha256(one.to_bytes()).digest(),
                reason="unknown_framing",
            ),
        )
        for offset, one in enumerate(sealed, 5)
    ]  # fmt: skip
    first = recorder.append(rows).first_seq
    hold = set_hold(audit_store, SUBJECT_ID, "lawsuit", "legal-1")
    with pytest.raises(ErasureRefused, match=f"entry {hold}"):
        erase_record(audit_store, keys, first, BASIS, DECIDED_BY)
    release_hold(audit_store, SUBJECT_ID, "over", "legal-1")

    done = erase_record(audit_store, keys, first, BASIS, DECIDED_BY)

    assert done.key_ids == (sealed[0].key_id,)
    assert cipher.open(sealed[0].to_bytes()) is None
    assert cipher.open(sealed[1].to_bytes()) == b"MSH|name in clear"
    assert erasures(audit_store)[0].payload["entry_seq"] == first
    assert erase_record(audit_store, keys, first, BASIS, DECIDED_BY).stated_before
    assert trace(audit_store, SUBJECT_ID).counts()["quarantined_sealed"] == 2
    assert verify(store_url).result == "intact"


def test_a_record_that_stands_in_clear_cannot_be_erased(
    audit_store: AuditStore, keys: SqliteKeyStore
) -> None:
    recorder = EventRecorder(audit_store)
    outcome = recorder.append([(QUARANTINED, record(0, topic_id=1, raw=b"in clear",
        content_hash=sha256(b"in clear").digest()))])  # fmt: skip

    with pytest.raises(ErasureRefused, match="in clear, for ever"):
        erase_record(audit_store, keys, outcome.first_seq, BASIS, DECIDED_BY)
    with pytest.raises(AuditError, match="not in quarantine"):
        erase_record(audit_store, keys, 0, BASIS, DECIDED_BY)


def test_what_was_stated_is_plain_json(store_url: str, keys: SqliteKeyStore) -> None:
    with closing(open_store(store_url)) as store:
        recorded(store, keys)
        seq = erase(store, keys).seq
        (entries,) = store.entries(after_seq=seq - 1, through_seq=seq)

    assert entries[0].event_type == "erasure"
    assert json.loads(entries[0].raw or b"")["statement"] == "subject_erased"
