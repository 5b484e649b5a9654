"""Good Avro that no event may hold is refused as an invalid value, naming the field."""

import copy

import pytest
from event_samples import freeze_started, header, sample_id, telemetry_chunk

from cryotrail_schemas import codec, events
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.errors import UndecodableRecord


def plain(event):
    return codec.decode_plain(codec.encode(event), catalog().current(event.TYPE))


def refusal(record, type_name=None):
    with pytest.raises(UndecodableRecord) as refused:
        codec.check_plain(record, type_name)
    assert refused.value.code == "invalid_value"
    return refused.value.detail


@pytest.mark.parametrize(
    "name", ["event_id", "procedure_id", "subject_id", "lesion_id", "correlation_id"]
)
@pytest.mark.parametrize("value", ["", "1", "urn:uuid:" + "0" * 27, "g" * 36, "{" + "0" * 34 + "}"])
def test_an_identity_that_is_no_uuid_is_refused(name, value):
    record = plain(freeze_started())
    record["header"][name] = value

    assert refusal(record) == f"header.{name}: no UUID text"


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 253_402_300_800_000_000])
def test_a_time_beyond_the_calendar_is_refused(value):
    record = plain(freeze_started())
    record["header"]["occurred_at"] = value

    assert "header.occurred_at" in refusal(record)


@pytest.mark.parametrize("value", [1.5e15, True, "2026-01-01", b"1", None])
def test_a_time_that_is_no_integer_is_refused(value):
    record = plain(freeze_started())
    record["header"]["occurred_at"] = value

    assert refusal(record) == "header.occurred_at: no integer"


@pytest.mark.parametrize("value", ["key", 7, 0.5, False, []])
def test_a_key_id_that_is_no_bytes_is_refused(value):
    record = plain(freeze_started())
    record["header"]["personal_key_id"] = value

    assert refusal(record) == "header.personal_key_id: no bytes"


def test_the_first_and_the_last_microsecond_of_the_calendar_pass():
    record = plain(freeze_started())

    for value in (-62_135_596_800_000_000, 253_402_300_799_999_999):
        record["header"]["occurred_at"] = value
        codec.check_plain(record)


@pytest.mark.parametrize(
    ("place", "value", "path"),
    [
        (("header", "device_id"), "a\0b", "header.device_id"),
        (("probe_id",), "\0", "probe_id"),
        (("flow_pct",), float("nan"), "flow_pct"),
        (("flow_pct",), float("inf"), "flow_pct"),
        (("header", "clock_offset_ms"), 2**31, "header.clock_offset_ms"),
    ],
)
def test_a_value_that_no_store_can_hold_is_refused(place, value, path):
    record = plain(freeze_started(flow_pct=1.0))
    node = record
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value

    assert refusal(record).startswith(f"{path}: ")


def test_values_within_arrays_are_checked():
    chunk = plain(telemetry_chunk())
    chunk["values"][1] = float("nan")
    amendment = plain(
        events.EventAmended(
            header=header(),
            target_event_id=sample_id("target"),
            changes=(events.FieldChange(path="/probe_id", value_json='"1"'),),
            reason=events.CorrectionReason.OTHER,
        )
    )
    amendment["changes"][0]["path"] = "/\0"

    assert refusal(chunk).startswith("values[1]: ")
    assert refusal(amendment).startswith("changes[0].path: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [("target_event_id", "x"), ("changes", [{"path": "/a", "supersedes_event_id": "x"}])],
)
def test_with_the_type_the_fields_of_the_body_are_checked_too(field, value):
    record = plain(
        events.EventAmended(
            header=header(),
            target_event_id=sample_id("target"),
            changes=(),
            reason=events.CorrectionReason.OTHER,
        )
    )
    record[field] = value
    codec.check_plain(copy.deepcopy(record))

    assert refusal(record, "EventAmended").startswith(f"{field}: ")


def test_an_integer_of_more_than_32_bits_is_refused_with_the_type():
    record = plain(freeze_started())
    record["cycle_no"] = 2**31

    assert refusal(record, "FreezeStarted").startswith("cycle_no: ")


def test_a_type_that_the_catalog_does_not_have_is_checked_as_far_as_it_is_known():
    codec.check_plain({**plain(freeze_started()), "made_up": 1}, "SomethingNew")


@pytest.mark.parametrize("record", [{}, {"header": None}, {"header": {"event_id": 3}}])
def test_a_record_without_our_header_is_refused(record):
    assert "header" in refusal(record)
