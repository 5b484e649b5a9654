"""Which fields are personal, and how their text leaves an event and returns to it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from event_samples import freeze_started, header, sample_id
from hypothesis import given, settings
from hypothesis import strategies as st

from cryotrail_schemas import events
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain, encode
from cryotrail_schemas.personal import (
    SealedRecord,
    clear_pointers,
    event_aad,
    event_nonce,
    is_personal_path,
    join,
    parse_sealed,
    personal_fields,
    plaintext_of,
    split,
    texts_of,
)

KEY_ID = bytes(range(16))


def amended(*changes: events.FieldChange) -> events.EventAmended:
    return events.EventAmended(
        header=header(),
        target_event_id=sample_id("target"),
        changes=changes,
        reason=events.CorrectionReason.ENTERED_IN_ERROR,
        reason_text="the nurse said so",
    )


def test_personal_fields_are_the_free_text_and_the_image_references() -> None:
    found = {
        f"{event_type.name}.{name}"
        for event_type in catalog()
        for name in personal_fields(event_type.name)
    }

    assert found == {
        "AnaesthesiaGiven.agent_text",
        "CaseDecisionRecorded.reason_text",
        "ComplicationRegraded.reason_text",
        "ComplicationReported.detail_text",
        "CtAcquired.series_uid",
        "DeviceAlarmRaised.alarm_text",
        "EmbolizationPerformed.agent_text",
        "EmbolizationPerformed.vessel_text",
        "EventAmended.reason_text",
        "EventVoided.reason_text",
        "FollowUpImagingPerformed.series_uid",
        "HaemostasisApplied.agent_text",
        "MedicationGiven.agent_text",
        "PatientDischarged.delay_reason_text",
        "ProbeInserted.entry_site_text",
        "ProbeInserted.probe_model_text",
        "ProcedureEnded.abort_reason_text",
        "ProcedureReviewed.note_text",
        "ProcedureStarted.console_model_text",
    }


def test_every_personal_field_may_be_null_on_the_wire() -> None:
    for event_type in catalog():
        defaults = {field["name"]: field for field in event_type.parsed["fields"]}
        for name in personal_fields(event_type.name):
            assert defaults[name]["type"][0] == "null", (event_type.name, name)


def test_splitting_takes_the_text_out_and_joining_puts_it_back() -> None:
    event = amended(
        events.FieldChange(path="/detail_text", value_json='"sore"', old_value_json="null"),
        events.FieldChange(path="/cycle_no", value_json="2", old_value_json="1"),
        events.FieldChange(path="/series_uid", value_json='"1.2.3"'),
    )

    bare, texts = split(event)

    assert texts == {
        "/reason_text": "the nurse said so",
        "/changes/0/value_json": '"sore"',
        "/changes/0/old_value_json": "null",
        "/changes/2/value_json": '"1.2.3"',
    }
    assert isinstance(bare, events.EventAmended)
    assert bare.reason_text is None
    assert [(change.value_json, change.old_value_json) for change in bare.changes] == [
        (None, None),
        ("2", "1"),
        (None, None),
    ]
    assert clear_pointers(decode_plain(encode(bare), catalog().current("EventAmended"))) == []
    assert set(clear_pointers(decode_plain(encode(event), catalog().current("EventAmended")))) == (
        set(texts)
    )
    assert join(bare, texts) == event


def test_an_event_without_personal_text_is_left_as_it_is() -> None:
    event = freeze_started()

    bare, texts = split(event)

    assert bare is event
    assert texts == {}


@pytest.mark.parametrize(
    ("path", "personal"),
    [
        ("/reason_text", True),
        ("/series_uid", True),
        ("/cycle_no", False),
        ("/header/occurred_at", False),
        ("/gradings/0/grade", False),
        ("", True),  # the whole event
        ("reason_text", True),  # malformed: nobody knows what its author meant
        ("/~2", True),
        ("/changes/0/value_json", True),  # what another amendment gave to a field, maybe of text
    ],
)
def test_the_value_of_a_change_is_personal_by_its_path(path: str, personal: bool) -> None:
    assert is_personal_path(path) is personal


@pytest.mark.parametrize("pointer", ["/status", "/changes/0/path", "/changes/7/value_json", "/x"])
def test_text_is_joined_to_personal_fields_alone(pointer: str) -> None:
    bare, _texts = split(amended(events.FieldChange(path="/detail_text", value_json='"x"')))

    with pytest.raises(ValueError, match="no personal field"):
        join(bare, {pointer: "text"})


def test_nonce_and_binding_are_as_written_down() -> None:
    event_id = UUID("01997b6e-8d4b-7c11-b1c3-2f1d8a4e5f60")

    assert (
        event_nonce(event_id, KEY_ID)
        == (sha256(b"cryotrail-personal-v1\0" + event_id.bytes + KEY_ID).digest()[:12])
    )
    assert event_aad(event_id, "EventVoided", KEY_ID) == (
        event_id.bytes + b"EventVoided\0" + KEY_ID
    )


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
)
def test_the_plaintext_is_one_form_of_a_map(texts: dict[str, str]) -> None:
    plaintext = plaintext_of(texts)

    assert texts_of(plaintext) == texts
    assert plaintext_of(dict(reversed(texts.items()))) == plaintext


def test_a_sealed_record_names_its_key_and_is_told_from_clear_bytes() -> None:
    sealed = SealedRecord(KEY_ID, sample_id("record"), b"ciphertext")

    assert parse_sealed(sealed.to_bytes()) == sealed
    for clear in (None, b"", b"MSH|^~\\&|LAB", sealed.to_bytes()[1:], sealed.to_bytes()[:30]):
        assert parse_sealed(clear) is None


def test_equal_text_under_another_event_has_another_nonce() -> None:
    one, other = freeze_started(), freeze_started(header=replace(header(), event_id=UUID(int=7)))

    nonces = {event_nonce(event.header.event_id, KEY_ID) for event in (one, other)}

    assert len(nonces) == 2
