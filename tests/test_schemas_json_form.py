"""Events as JSON: what is refused, and that the message says how to put it right."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from event_samples import freeze_started, header, sample_id

from cryotrail_schemas import events
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.json_form import event_from_json, event_to_json

PROBE = {
    "type": "ProbeInserted",
    "header": {
        "event_id": str(sample_id("event")),
        "procedure_id": str(sample_id("procedure")),
        "subject_id": str(sample_id("subject")),
        "actor_role": "OPERATOR",
        "occurred_at": "2026-11-22T10:24:00Z",
        "time_basis": "MANUAL",
        "data_origin": "LIVE",
    },
    "probe_id": "1",
    "probe_no": 1,
}


def refusal(value):
    with pytest.raises(EventRefused) as refused:
        event_from_json(value)
    return dict(refused.value.problems)


def with_header(**changes):
    return {**PROBE, "header": {**PROBE["header"], **changes}}


def test_an_event_is_read():
    event = event_from_json({**PROBE, "depth_mm": 61})

    assert isinstance(event, events.ProbeInserted)
    assert event.header.occurred_at == datetime(2026, 11, 22, 10, 24, tzinfo=UTC)
    assert event.header.actor_role is events.ActorRole.OPERATOR
    assert (event.probe_id, event.probe_no, event.depth_mm, event.gauge) == ("1", 1, 61, None)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("depth_cm", "use depth_mm (unit mm)"),
        ("depth", "use depth_mm (unit mm)"),
        ("angle_rad", "use angle_deg (unit deg)"),
        ("diamter_mm", "did you mean diameter_mm?"),
        ("qqq", "unknown field"),
        ("producer_seq", "a delivery number is no part of the event"),
        ("recorded_at", "belongs to the store"),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_to_use(field, reason):
    assert reason in refusal({**PROBE, field: 1})[field]


def test_a_delivery_number_in_the_header_is_refused():
    assert "delivery number" in refusal(with_header(procedure_seq=1))["header.procedure_seq"]


def test_a_unit_of_more_letters_is_refused_too():
    value = {**PROBE, "type": "CtAcquired", "phase": "SURVEY", "dlp_gycm": 1.2}
    del value["probe_id"], value["probe_no"]

    assert refusal(value) == {"dlp_gycm": "unknown field: use dlp_mgycm (unit mGy.cm)"}


def test_a_unit_that_is_not_the_analytes_is_refused():
    value = {
        "type": "LabResultRecorded",
        "header": PROBE["header"],
        "analyte": "CRP",
        "value": 0.3,
        "unit_ucum": "mg/dL",
        "interpretation": "NORMAL",
    }

    assert refusal(value) == {"unit_ucum": "'mg/dL' is not the unit of CRP, use mg/L"}


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"occurred_at": "2026-11-22T10:24:00"}, "header.occurred_at", "naive time"),
        ({"occurred_at": "2026-11-22"}, "header.occurred_at", "naive time"),
        ({"occurred_at": "yesterday"}, "header.occurred_at", "ISO 8601"),
        ({"occurred_at": 1763806800}, "header.occurred_at", "ISO 8601"),
        ({"occurred_at": "2026-11-22T10:24:60Z"}, "header.occurred_at", "ISO 8601"),
        ({"procedure_id": "1"}, "header.procedure_id", "UUID"),
        ({"procedure_id": "0" * 32}, "header.procedure_id", "UUID"),
        ({"subject_id": None}, "header.subject_id", "required, and missing"),
        ({"actor_role": "SURGEON"}, "header.actor_role", "is not one of UNKNOWN, OPERATOR"),
        ({"personal_key_id": "zz"}, "header.personal_key_id", "hexadecimal"),
        ({"clock_offset_ms": 1.5}, "header.clock_offset_ms", "whole number"),
    ],
)
def test_a_wrong_header_field_is_refused(changes, path, reason):
    found = refusal(with_header(**changes))

    assert list(found) == [path]
    assert reason in found[path]


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"probe_no": "1"}, "probe_no", "whole number"),
        ({"probe_no": True}, "probe_no", "whole number"),
        ({"probe_no": 0}, "probe_no", "0 is below 1"),
        ({"probe_no": None}, "probe_no", "required, and missing"),
        ({"depth_mm": "61"}, "depth_mm", "number"),
        ({"depth_mm": float("nan")}, "depth_mm", "no finite number"),
        ({"probe_id": 1}, "probe_id", "text"),
        ({"leak_tested": "yes"}, "leak_tested", "true or false"),
        ({"header": []}, "header", "expected an object"),
        ({"header": None}, "header", "required, and missing"),
    ],
)
def test_a_wrong_field_is_refused(changes, path, reason):
    found = refusal({**PROBE, **changes})

    assert list(found) == [path]
    assert reason in found[path]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "required, and missing"),
        ({"type": "ProbeInsert"}, "did you mean ProbeInserted?"),
        ({"type": "Header"}, "unknown event type"),
        ({"type": 3}, "unknown event type 3"),
        ({"type": ["x"]}, "unknown event type"),
    ],
)
def test_an_unknown_type_is_refused(value, reason):
    assert reason in refusal(value)["type"]


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_what_is_no_object_is_refused(value):
    assert "expected an object" in refusal(value)[""]


def test_every_problem_is_reported_at_once():
    value = {**with_header(occurred_at="2026-11-22T10:24:00"), "depth_cm": 6, "probe_no": 0}
    del value["probe_id"]

    assert set(refusal(value)) == {"header.occurred_at", "depth_cm", "probe_no", "probe_id"}


def test_a_missing_event_id_is_given_and_a_present_one_kept():
    nameless = with_header(event_id=None)

    given = event_from_json(nameless, event_id_default=sample_id("new"))
    kept = event_from_json(PROBE, event_id_default=sample_id("new"))

    assert given.header.event_id == sample_id("new")
    assert kept.header.event_id == sample_id("event")
    assert refusal(nameless) == {"header.event_id": "required, and missing"}


def test_the_value_given_is_left_as_it_is():
    value = with_header(event_id=None)
    before = json.dumps(value)

    event_from_json(value, event_id_default=sample_id("new"))

    assert json.dumps(value) == before


def test_a_value_nested_deeper_than_the_stack_is_refused_like_any_other():
    nested = []
    for _ in range(10_000):
        nested = [nested]

    assert "expected text" in refusal({**PROBE, "probe_id": nested})["probe_id"]


def test_arrays_of_records_are_read_and_their_problems_have_an_index():
    value = {
        "type": "EventAmended",
        "header": PROBE["header"],
        "target_event_id": str(sample_id("target")),
        "target_content_hash": "ab" * 32,
        "changes": [{"path": "/depth_mm", "value_json": "61", "old_value_json": "16"}],
        "reason": "ENTERED_IN_ERROR",
    }

    event = event_from_json(value)

    assert event.changes == (
        events.FieldChange(path="/depth_mm", value_json="61", old_value_json="16"),
    )
    assert event.target_content_hash == b"\xab" * 32
    assert refusal({**value, "changes": [{"value": 1}]}) == {
        "changes[0].value": "unknown field: did you mean value_json?",
        "changes[0].path": "required, and missing",
    }


def test_json_leaves_null_out_and_writes_utc():
    tokyo = datetime(2026, 11, 22, 19, 24, tzinfo=timezone(timedelta(hours=9)))

    value = event_to_json(freeze_started(header=header(occurred_at=tokyo)))

    assert value["header"]["occurred_at"] == "2026-11-22T10:24:00Z"
    assert "flow_pct" not in value
    assert "device_id" not in value["header"]
    assert list(value)[:2] == ["type", "header"]


def test_a_dose_is_a_number_and_exact():
    event = events.CtAcquired(
        header=header(), phase=events.CtPhase.SURVEY, dlp_mgycm=Decimal("12345678.91")
    )

    value = json.loads(json.dumps(event_to_json(event)))

    assert value["dlp_mgycm"] == 12345678.91
    assert event_from_json(value) == event


def test_microseconds_are_kept():
    value = with_header(occurred_at="2026-11-22T10:24:00.000001+00:00")

    event = event_from_json(value)

    assert event_to_json(event)["header"]["occurred_at"] == "2026-11-22T10:24:00.000001Z"
