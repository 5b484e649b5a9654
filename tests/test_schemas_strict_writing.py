"""Encoding refuses what the contract refuses, names the field, and names all of it at once."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from event_samples import freeze_started, header, sample_id, telemetry_chunk

from cryotrail_schemas import codec, events
from cryotrail_schemas.errors import EventRefused


def problems_of(event):
    with pytest.raises(EventRefused) as refused:
        codec.encode(event)
    return dict(refused.value.problems)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(value):
    assert "no finite number" in problems_of(freeze_started(flow_pct=value))["flow_pct"]


def test_nan_within_an_array_is_refused_with_its_index():
    event = telemetry_chunk(values=(1.0, None, float("nan")))

    assert problems_of(event) == {"values[2]": "nan is no finite number"}


def test_a_naive_time_is_refused():
    event = freeze_started(header=header(occurred_at=datetime(2026, 11, 22, 10, 24)))

    assert "naive time" in problems_of(event)["header.occurred_at"]


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"probe_id": 1}, "probe_id", "expected text, got 1"),
        ({"probe_id": None}, "probe_id", "expected text, got null"),
        ({"cycle_no": "1"}, "cycle_no", "expected a whole number, got '1'"),
        ({"cycle_no": True}, "cycle_no", "expected a whole number, got True"),
        ({"cycle_no": 1.0}, "cycle_no", "expected a whole number, got 1.0"),
        ({"cycle_no": 0}, "cycle_no", "0 is below 1"),
        ({"cycle_no": 2**31}, "cycle_no", "2147483648 is above 2147483647"),
        ({"flow_pct": "100"}, "flow_pct", "expected a number, got '100'"),
        ({"probe_id": "1\0"}, "probe_id", "text holds U+0000"),
        ({"probe_id": "\ud800"}, "probe_id", "lone surrogate"),
        ({"header": header(event_id="1")}, "header.event_id", "expected a UUID, got '1'"),
        ({"header": header(actor_role="OPERATOR")}, "header.actor_role", "expected a ActorRole"),
        ({"header": header(occurred_at=date(2026, 1, 1))}, "header.occurred_at", "expected a time"),
        ({"header": header(personal_key_id="k")}, "header.personal_key_id", "expected bytes"),
        ({"header": None}, "header", "expected Header, got null"),
    ],
)
def test_a_wrong_value_is_refused_with_path_and_reason(changes, path, reason):
    found = problems_of(freeze_started(**changes))

    assert list(found) == [path]
    assert reason in found[path]


@pytest.mark.parametrize("period_ms", [0, -1000])
def test_a_period_that_is_not_positive_is_refused(period_ms):
    assert "below 1" in problems_of(telemetry_chunk(period_ms=period_ms))["period_ms"]


def test_a_probe_number_below_one_is_refused():
    event = events.ProbeInserted(header=header(), probe_id="1", probe_no=0)

    assert problems_of(event) == {"probe_no": "0 is below 1"}


def test_six_hundred_samples_are_taken_and_one_more_is_refused():
    codec.encode(telemetry_chunk(values=(1.0,) * 600))

    found = problems_of(telemetry_chunk(values=(1.0,) * 601))

    assert found == {"values": "601 values; more than 600 are refused"}


@pytest.mark.parametrize(
    ("dose", "reason"),
    [
        (Decimal("1.234"), "more than 2 decimals"),
        (Decimal("123456789.00"), "more than 10 digits"),
        (Decimal("NaN"), "no finite number"),
        (12.5, "expected a Decimal"),
    ],
)
def test_a_dose_that_the_schema_cannot_hold_is_refused(dose, reason):
    event = events.CtAcquired(header=header(), phase=events.CtPhase.SURVEY, dlp_mgycm=dose)

    assert reason in problems_of(event)["dlp_mgycm"]


def test_a_list_is_no_array():
    assert "expected a tuple" in problems_of(telemetry_chunk(values=[1.0]))["values"]


def test_a_day_is_no_time():
    event = events.VitalStatusUpdated(
        header=header(),
        vital_status=events.VitalStatus.ALIVE,
        disease_status=events.DiseaseStatus.NED,
        last_contact_on=datetime(2026, 1, 1),
    )

    assert "expected a calendar day" in problems_of(event)["last_contact_on"]


def test_a_value_in_another_unit_than_the_analytes_is_refused():
    event = events.LabResultRecorded(
        header=header(),
        analyte=events.Analyte.HAEMOGLOBIN,
        value=13.5,
        unit_ucum="g/dL",
        interpretation=events.Interpretation.NORMAL,
    )

    assert problems_of(event) == {"unit_ucum": "'g/dL' is not the unit of HAEMOGLOBIN, use g/L"}
    assert "required with value" in problems_of(replace(event, unit_ucum=None))["unit_ucum"]
    codec.encode(replace(event, value=135.0, unit_ucum="g/L"))
    codec.encode(replace(event, value=None, unit_ucum=None))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("sixty", "not JSON"), ("NaN", "NaN is no JSON"), ("[" * 100_000, "nested too deeply")],
    ids=["word", "NaN", "nested"],
)
def test_an_amended_value_that_is_no_json_is_refused(text, reason):
    changes = (
        events.FieldChange(path="/flow_pct", value_json="60.0", old_value_json=text),
        events.FieldChange(path="/flow_pct", value_json=text),
        events.FieldChange(path="/flow_pct"),
    )
    event = events.EventAmended(
        header=header(),
        target_event_id=sample_id("target"),
        changes=changes,
        reason=events.CorrectionReason.ENTERED_IN_ERROR,
    )

    found = problems_of(event)

    assert list(found) == ["changes[0].old_value_json", "changes[1].value_json"]
    assert all(reason in problem for problem in found.values())


def test_every_problem_is_reported_at_once():
    grading = events.Grading(
        scale=events.GradingScale.CTCAE_5, scale_version="5.0", grade=2, graded_on="today"
    )
    event = events.ComplicationReported(
        header=header(occurred_at=datetime(2026, 1, 1), subject_id=None),
        complication_id="x",
        kind=events.ComplicationKind.PAIN,
        structure=events.Structure.NONE,
        relation=events.Relation.POSSIBLE,
        gradings=(grading,),
    )

    assert set(problems_of(event)) == {
        "header.occurred_at",
        "header.subject_id",
        "complication_id",
        "gradings[0].grade",
        "gradings[0].graded_on",
    }


def test_the_message_names_type_path_and_reason():
    with pytest.raises(EventRefused, match=r"^FreezeStarted refused: cycle_no: 0 is below 1$"):
        codec.encode(freeze_started(cycle_no=0))


def test_an_offset_is_encoded_as_the_same_instant_in_utc():
    from datetime import UTC, timedelta, timezone

    tokyo = datetime(2026, 11, 22, 19, 24, tzinfo=timezone(timedelta(hours=9)))
    utc = datetime(2026, 11, 22, 10, 24, tzinfo=UTC)

    bodies = {codec.encode(freeze_started(header=header(occurred_at=at))) for at in (tokyo, utc)}

    assert len(bodies) == 1
