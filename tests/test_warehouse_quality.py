"""What the marts could not use is counted, and never silently left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from json import dumps
from pathlib import Path

import pytest
from handmade_case import Case
from marts import row, rows
from small_warehouse import SmallWarehouse

from cryotrail_audit.records import EVENT, QUARANTINED, Administrative, IncomingBatch
from cryotrail_schemas.catalog import event_type_of
from cryotrail_schemas.codec import frame_single_object
from cryotrail_schemas.events import (
    ComplicationKind,
    ComplicationReported,
    DataOrigin,
    DiseaseStatus,
    EndStatus,
    Grading,
    GradingScale,
    PatientDischarged,
    ProcedureEnded,
    VitalStatus,
    VitalStatusUpdated,
)


@pytest.fixture
def warehouse(sqlite_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(sqlite_url, tmp_path / "warehouse", "Asia/Tokyo") as warehouse:
        yield warehouse


def found(path: Path) -> dict[str, int]:
    """The checks that found something."""
    checks = rows(path, "select check_name, found from meta_quality where found > 0")
    return {check["check_name"]: check["found"] for check in checks}


def test_conflicts_quarantine_and_alarms_are_counted(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()
    end = events[-1]
    other = ProcedureEnded(header=end.header, status=EndStatus.ABORTED)
    recorder = warehouse.recorder
    recorder.record(*events)
    recorder.record(other)
    recorder.append([(QUARANTINED, recorder.incoming(end, reason="truncated", event_id=b"q" * 16))])
    alarm = Administrative("loss_alarm", {"part": 0})
    warehouse.store.append(IncomingBatch((), (), [alarm], "somebody"))

    path = warehouse.refresh().path

    assert found(path) == {
        "conflicting_records": 1,
        "quarantined_records": 1,
        "loss_alarms": 1,
        "unsealed_procedures": 1,
        "unknown_follow_up": 1,
    }
    # The first comer of the conflict counts.
    assert row(path, "select end_status from fct_procedure") == {"end_status": "UNKNOWN"}


def test_a_replayed_record_is_no_open_one(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    *events, end = case.whole()
    recorder = warehouse.recorder
    recorder.record(*events)
    sources = []
    for number in range(3):
        incoming = recorder.incoming(end, reason="truncated", event_id=b"%016d" % number)
        recorder.append([(QUARANTINED, incoming)])
        sources.append((warehouse.store.head().tree_size - 1, incoming))
    quality = (
        "select check_name, found, checked from meta_quality"
        " where check_name in ('quarantined_records', 'replayed_records') order by check_name"
    )

    before = [tuple(r.values()) for r in rows(warehouse.refresh().path, quality)]
    for seq, incoming in sources[:2]:  # an event, and what it says once more
        replayed = incoming._replace(
            event_id=end.header.event_id.bytes, source_seq=seq, reason=None
        )
        warehouse.store.append(IncomingBatch([(EVENT, replayed)], (), (), ""))
    path = warehouse.refresh().path

    assert before == [("quarantined_records", 3, 3), ("replayed_records", 0, 3)]
    assert [tuple(r.values()) for r in rows(path, quality)] == [
        ("quarantined_records", 1, 3),
        ("replayed_records", 2, 3),
    ]
    assert row(path, "select duration_min from fct_procedure") == {"duration_min": 90.0}


def test_an_event_of_an_unknown_type_is_counted_and_stops_nothing(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)
    text = dumps(
        {
            "type": "record",
            "name": "cryotrail.events.Sonification",
            "fields": [{"name": "pitch", "type": "int"}],
        }
    )
    stranger = event_type_of(text)
    digest = warehouse.store.register_schema(text, stranger.fingerprint, stranger.name, None)
    events = case.whole()
    unknown = warehouse.recorder.incoming(
        events[0],
        event_id=b"s" * 16,
        event_type=stranger.name,
        schema_sha256=digest,
        raw=frame_single_object(stranger, b"\x02"),
        content_hash=sha256(b"\x02").digest(),
    )
    warehouse.recorder.append([(EVENT, unknown)])

    path = warehouse.publish(*events)

    assert found(path)["unread_events"] == 1
    assert row(path, "select event_count from fct_procedure") == {"event_count": len(events)}


def test_a_procedure_that_ends_before_it_starts_is_shown_as_such(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)

    path = warehouse.publish(*case.whole()[:-1], case.at(ProcedureEnded, -5))

    assert found(path)["backward_durations"] == 1


def test_dates_are_the_calendar_of_the_site(warehouse: SmallWarehouse) -> None:
    # 23:30 on 1 March in UTC is 2 March in Tokyo; so is the discharge 30 hours later, 3 March.
    case = Case(1, start=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    month = VitalStatusUpdated(
        header=case.header(60 * 24 * 400, "VitalStatusUpdated"),
        vital_status=VitalStatus.ALIVE,
        disease_status=DiseaseStatus.NED,
        last_contact_on=date(2026, 3, 2) + timedelta(days=365),
    )

    path = warehouse.publish(*case.whole(), case.at(PatientDischarged, 30 * 60), month)

    assert row(path, "select treated_on::varchar as day, stay_days from fct_procedure") == {
        "day": "2026-03-02",
        "stay_days": 1,
    }
    assert row(path, "select follow_up_months::varchar as months, is_dead from dim_subject") == {
        "months": "12.0",
        "is_dead": False,
    }


def test_the_latest_contact_counts_whenever_it_arrives(warehouse: SmallWarehouse) -> None:
    case = Case(1)

    def status(day: date, vital: VitalStatus) -> VitalStatusUpdated:
        return case.at(
            VitalStatusUpdated,
            600,
            vital_status=vital,
            disease_status=DiseaseStatus.UNKNOWN,
            last_contact_on=day,
        )

    path = warehouse.publish(
        *case.whole(),
        status(date(2027, 3, 2), VitalStatus.DEAD),
        status(date(2026, 9, 2), VitalStatus.ALIVE),
    )

    assert row(path, "select vital_status, is_dead from dim_subject") == {
        "vital_status": "DEAD",
        "is_dead": True,
    }


def test_a_procedure_is_called_by_its_least_real_event(warehouse: SmallWarehouse) -> None:
    case = Case(1, data_origin=DataOrigin.LIVE)
    events = case.whole()
    case.data_origin = DataOrigin.BACKFILL
    late = case.at(PatientDischarged, 600)
    made_up = Case(2, data_origin=DataOrigin.SYNTHETIC).whole()

    path = warehouse.publish(*events, late, *made_up)

    called = rows(path, "select data_origin, cohort from fct_procedure order by procedure_label")
    assert [tuple(item.values()) for item in called] == [
        ("BACKFILL", "CLINICAL"),
        ("SYNTHETIC", "SYNTHETIC"),
    ]
    counts = rows(
        path, "select cohort, n from cohort_summary where measure = 'procedures' order by 1"
    )
    assert [tuple(item.values()) for item in counts] == [("CLINICAL", 1), ("SYNTHETIC", 1)]


def test_several_complications_of_a_procedure_count_it_once(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    grading = Grading(
        scale=GradingScale.CIRSE_2017,
        scale_version="2017",
        grade="2",
        graded_on=date(2026, 3, 4),
    )
    pain, fever = (
        case.at(
            ComplicationReported,
            100 + number,
            complication_id=case.header(0, kind).event_id,
            kind=ComplicationKind(kind),
            gradings=(grading,) * number,
        )
        for number, kind in enumerate(("PAIN", "FEVER"))
    )

    path = warehouse.publish(*case.whole(), pain, fever, *Case(2).whole())

    of_kind = rows(
        path,
        "select kind, k, n, complication_count as total, graded_count as graded"
        " from cohort_complication order by kind",
    )
    assert [tuple(item.values()) for item in of_kind] == [
        ("ANY", 1, 2, 2, 1),
        ("FEVER", 1, 2, 1, 1),
        ("HAEMORRHAGE", 0, 2, 0, 0),
        ("PAIN", 1, 2, 1, 0),
    ]
    graded = row(path, "select gradings, hours_from_end from fct_complication where kind = 'FEVER'")
    assert graded["gradings"] == ["CIRSE_2017 2017: 2 (2026-03-04)"]
    assert graded["hours_from_end"] == pytest.approx(11 / 60)


def test_no_free_text_enters_the_timeline(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    told = case.at(
        ComplicationReported,
        100,
        complication_id=case.lesion_id,
        kind=ComplicationKind.PAIN,
        detail_text="says Antonio",
    )

    path = warehouse.publish(*case.whole(), told)

    timeline = rows(
        path,
        "select * exclude (occurred_at, recorded_at, original_occurred_at) from fct_timeline_event",
    )
    assert "Antonio" not in str(timeline)
    assert "Complication: pain" in {item["summary"] for item in timeline}
