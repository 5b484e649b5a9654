"""Personal text leaves the process encrypted, always the same, and is withheld after an erasure."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from event_samples import SUBJECT_ID, freeze_started, header, sample_id
from key_stores import files_with, kek_file, key_store

from cryotrail_producers.errors import KekRefused
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_producers.personal_cipher import KEPT_S, PersonalCipher, RecordCipher
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas import events
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode, encode, parse_frame
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.personal import event_aad, event_nonce, plaintext_of, subject_scope

SECRET = "Mrs. Miyazaki's daughter called, 1954-03-12"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SqliteKeyStore]:
    with key_store(tmp_path) as store:
        yield store


def ended(text: str | None = SECRET, **changes: object) -> events.ProcedureEnded:
    return events.ProcedureEnded(
        header=header(**changes),  # type: ignore[arg-type]
        status=events.EndStatus.ABORTED,
        abort_reason_text=text,
    )


def test_text_moves_into_the_header_and_comes_back(keys: SqliteKeyStore) -> None:
    cipher, event = PersonalCipher(keys), ended()

    sent = cipher.encrypt(event)

    assert isinstance(sent, events.ProcedureEnded)
    assert sent.abort_reason_text is None
    assert SECRET.encode() not in encode(sent)
    key_id, ciphertext = sent.header.personal_key_id, sent.header.personal_ciphertext
    assert key_id == keys.data_key(subject_scope(SUBJECT_ID)).key_id
    assert ciphertext is not None
    assert cipher.read(event.header.event_id, event.TYPE, key_id, ciphertext) == {
        "/abort_reason_text": SECRET
    }
    bare = replace(sent.header, personal_key_id=None, personal_ciphertext=None)
    assert replace(sent, header=bare) == replace(event, abort_reason_text=None)


def test_the_ciphertext_is_aes_gcm_siv_over_what_is_written_down(keys: SqliteKeyStore) -> None:
    event = ended()

    sent = PersonalCipher(keys).encrypt(event)

    key = keys.data_key(subject_scope(SUBJECT_ID))
    assert sent.header.personal_ciphertext == AESGCMSIV(key.key).encrypt(
        event_nonce(event.header.event_id, key.key_id),
        plaintext_of({"/abort_reason_text": SECRET}),
        event_aad(event.header.event_id, "ProcedureEnded", key.key_id),
    )


def test_the_same_event_becomes_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    bodies = set()
    for _ in range(2):
        with key_store(tmp_path) as keys:
            bodies.add(encode(PersonalCipher(keys).encrypt(ended())))

    assert len(bodies) == 1


def test_a_ciphertext_belongs_to_its_event_type_and_key(keys: SqliteKeyStore) -> None:
    cipher, event = PersonalCipher(keys), ended()
    sent = cipher.encrypt(event).header
    assert sent.personal_key_id is not None and sent.personal_ciphertext is not None
    other = keys.data_key("subject:other").key_id

    for event_id, event_type, key_id in (
        (sample_id("another"), event.TYPE, sent.personal_key_id),
        (event.header.event_id, "EventVoided", sent.personal_key_id),
        (event.header.event_id, event.TYPE, other),
    ):
        with pytest.raises(ValueError, match="not what its key made"):
            cipher.read(event_id, event_type, key_id, sent.personal_ciphertext)


def test_what_has_no_personal_text_is_left_as_it_is(keys: SqliteKeyStore) -> None:
    cipher = PersonalCipher(keys)

    for event in (freeze_started(), ended(text=None)):
        assert cipher.encrypt(event) is event
    assert keys.scopes() == []


@pytest.mark.parametrize("text", [7, "a\0b", "\ud800"])
def test_wrong_text_is_refused_though_it_would_be_hidden(keys: SqliteKeyStore, text: str) -> None:
    with pytest.raises(EventRefused, match="abort_reason_text"):
        PersonalCipher(keys).encrypt(ended(text=text))


def test_a_value_of_an_amendment_must_be_json_though_it_would_be_hidden(
    keys: SqliteKeyStore,
) -> None:
    change = events.FieldChange(path="/detail_text", value_json="no JSON")
    event = events.EventAmended(
        header=header(),
        target_event_id=sample_id("target"),
        changes=(change,),
        reason=events.CorrectionReason.ENTERED_IN_ERROR,
    )

    with pytest.raises(EventRefused, match="not JSON text"):
        PersonalCipher(keys).encrypt(event)


def test_text_in_clear_beside_a_ciphertext_is_refused(keys: SqliteKeyStore) -> None:
    cipher = PersonalCipher(keys)
    sent = cipher.encrypt(ended())

    assert cipher.encrypt(sent) is sent
    with pytest.raises(EventRefused, match="personal_ciphertext"):
        cipher.encrypt(replace(ended(), header=sent.header))


def test_text_of_an_erased_subject_is_withheld_and_the_event_goes_out(
    keys: SqliteKeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    (key_id,) = [keys.data_key(subject_scope(SUBJECT_ID)).key_id]
    keys.destroy(subject_scope(SUBJECT_ID))

    with caplog.at_level(logging.WARNING):
        sent = PersonalCipher(keys).encrypt(ended())

    assert isinstance(sent, events.ProcedureEnded)
    assert (sent.abort_reason_text, sent.header.personal_ciphertext) == (None, None)
    assert sent.header.personal_key_id == key_id
    assert "withheld" in caplog.text and SECRET not in caplog.text


def test_a_key_that_another_process_destroyed_is_soon_forgotten(keys: SqliteKeyStore) -> None:
    now_s = 0.0
    cipher = PersonalCipher(keys, clock=lambda: now_s)
    cipher.encrypt(ended())
    keys.destroy(subject_scope(SUBJECT_ID))

    now_s = KEPT_S + 1

    assert cipher.encrypt(ended()).header.personal_ciphertext is None


def test_neither_the_outbox_nor_kafka_gets_the_text(tmp_path: Path) -> None:
    transport = MemoryTransport()
    settings = PublisherSettings(
        outbox_path=tmp_path / "outbox.sqlite3",
        source="urn:cryotrail:test",
        personal_kek_file=kek_file(tmp_path),
    )
    one, other = ended(event_id=uuid4()), ended(event_id=uuid4(), subject_id=UUID(int=9))

    with Publisher(settings, transport) as publisher:
        publisher.publish(one)
        publisher.publish_many([other, freeze_started()])
        publisher.wait(10)

    sent = [
        decode(parse_frame(record.value).body, catalog().current("ProcedureEnded"))
        for record in transport.records
        if b"ProcedureEnded" in dict(record.headers)["ce_type"]
    ]
    assert {event.header.event_id for event in sent} == {
        one.header.event_id,
        other.header.event_id,
    }
    assert len({event.header.personal_key_id for event in sent}) == 2
    assert files_with([SECRET.encode(), b"Miyazaki"], tmp_path) == set()


def test_without_its_key_file_nothing_is_published(tmp_path: Path) -> None:
    settings = PublisherSettings(
        outbox_path=tmp_path / "outbox.sqlite3",
        source="urn:cryotrail:test",
        personal_kek_file=tmp_path / "lost.kek",
    )

    with pytest.raises(KekRefused, match="can be neither written nor read"):
        Publisher(settings, MemoryTransport())

    assert list(tmp_path.iterdir()) == []


def test_records_are_sealed_each_under_its_own_key(keys: SqliteKeyStore) -> None:
    cipher = RecordCipher(keys)
    values = [(uuid4(), b"MSH|^~\\&|LAB|Miyazaki"), (uuid4(), b"MSH|^~\\&|LAB|Miyazaki")]

    one, other = cipher.seal(values)

    assert cipher.seal(values) == [one, other]
    assert one.ciphertext != other.ciphertext
    assert b"Miyazaki" not in one.to_bytes()
    assert cipher.open(one.to_bytes()) == values[0][1]
    assert cipher.open(b"in clear") == b"in clear"
    assert cipher.open(None) is None
    with pytest.raises(ValueError, match="not what its key made"):
        cipher.open(one._replace(record_id=values[1][0]).to_bytes())
    keys.destroy(f"record:{one.record_id}")
    assert cipher.seal(values) == [one._replace(ciphertext=b""), other], "erased stays erased"
    assert cipher.open(one.to_bytes()) is None
    assert cipher.open(other.to_bytes()) == values[1][1]
