"""What an Avro library lets pass without a word, and cryotrail does not. One test a trap."""

from datetime import datetime
from io import BytesIO

import fastavro
import pytest
from event_samples import freeze_started, header, telemetry_chunk

from cryotrail_schemas import codec, events
from cryotrail_schemas.catalog import catalog, event_type_of
from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.errors import EventRefused, UndecodableRecord
from cryotrail_schemas.json_form import event_from_json, event_to_json

FREEZE = catalog().current("FreezeStarted")


def test_an_extra_key_is_dropped_by_the_library_and_refused_by_us():
    plain = {**record_form("FreezeStarted").to_plain(freeze_started()), "depth_mm": 3.0}
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, FREEZE.plain, plain)
    assert codec.decode(buffer.getvalue(), FREEZE) == freeze_started(), "the library said nothing"

    with pytest.raises(EventRefused, match="depth_mm: unknown field"):
        event_from_json({**event_to_json(freeze_started()), "depth_mm": 3.0})


def test_two_records_of_one_shape_are_told_apart():
    thaw = events.FreezeStopped(
        header=header(), probe_id="1", cycle_no=1, stop_reason=events.StopReason.UNKNOWN
    )
    body = codec.encode(thaw)
    wrong = catalog().current("ThawStarted")
    # Probe, cycle and a code list: under the wrong schema a plausible record, and no error. The
    # last byte is FreezeStopped's null tip temperature.
    assert fastavro.schemaless_reader(BytesIO(body), wrong.plain, None)["mode"] == "UNKNOWN"

    frame = codec.parse_frame(codec.frame_single_object(catalog().current("FreezeStopped"), body))

    assert catalog().by_fingerprint(frame.fingerprint).name == "FreezeStopped"
    with pytest.raises(UndecodableRecord, match="trailing_bytes"):
        codec.decode_plain(body, wrong)


def test_every_released_schema_has_a_fingerprint_of_its_own():
    fingerprints = [event_type.fingerprint for event_type in catalog()]

    assert len(set(fingerprints)) == len(fingerprints)


def test_the_canonical_form_hides_what_the_sha256_shows():
    other_text = FREEZE.text.replace("A probe started to freeze", "Something else")
    other = event_type_of(other_text)

    assert other.fingerprint == FREEZE.fingerprint
    assert other.sha256 != FREEZE.sha256


def test_trailing_bytes_are_refused():
    body = codec.encode(freeze_started())
    assert fastavro.schemaless_reader(BytesIO(body + b"\0"), FREEZE.plain, None)

    with pytest.raises(UndecodableRecord) as refused:
        codec.decode_plain(body + b"\0", FREEZE)

    assert refused.value.code == "trailing_bytes"
    assert "1 bytes" in refused.value.detail


def test_nan_passes_the_library_and_not_us():
    plain = record_form("ProbeTelemetryChunk").to_plain(telemetry_chunk())
    plain["values"] = [float("nan")]
    fastavro.schemaless_writer(
        BytesIO(), catalog().current("ProbeTelemetryChunk").plain, plain, strict=True
    )

    with pytest.raises(EventRefused, match="no finite number"):
        codec.encode(telemetry_chunk(values=(float("nan"),)))


def test_a_naive_time_is_given_a_zone_by_the_library_and_refused_by_us():
    naive = datetime(2026, 11, 22, 10, 24)
    micros = {"type": "long", "logicalType": "timestamp-micros"}
    fastavro.schemaless_writer(BytesIO(), fastavro.parse_schema(micros), naive)

    with pytest.raises(EventRefused, match="naive time"):
        codec.encode(freeze_started(header=header(occurred_at=naive)))
