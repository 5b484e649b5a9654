"""Amendments and voids: what the marts show is what holds now, and the record stays visible."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from handmade_case import Case
from marts import row, rows
from small_warehouse import SmallWarehouse

from cryotrail_audit.records import EVENT
from cryotrail_schemas.codec import parse_frame
from cryotrail_schemas.events import (
    CaseDecisionRecorded,
    Channel,
    ProbeTelemetryChunk,
    ProcedureEnded,
    ProcedureScheduled,
    ProcedureSealed,
    ThawStopped,
)
from cryotrail_schemas.json_form import event_from_json

DURATION = "select duration_min from fct_procedure"


@pytest.fixture
def warehouse(sqlite_url: str, tmp_path: Path) -> Iterator[SmallWarehouse]:
    with SmallWarehouse(sqlite_url, tmp_path / "warehouse") as warehouse:
        yield warehouse


def test_an_amended_time_moves_every_figure_that_follows_from_it(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole(end=90)

    path = warehouse.publish(*events)
    assert row(path, DURATION) == {"duration_min": 90.0}
    path = warehouse.publish(case.amend(events[-1], "/header/occurred_at", case.time(101.5)))

    assert row(path, DURATION) == {"duration_min": 101.5}
    shown = row(
        path,
        "select occurred_at::varchar as now, original_occurred_at::varchar as before, is_amended,"
        " amended_paths from fct_timeline_event where event_type = 'ProcedureEnded'",
    )
    assert shown == {
        "now": "2026-03-02 10:41:30+00",
        "before": "2026-03-02 10:30:00+00",
        "is_amended": True,
        "amended_paths": ["/header/occurred_at"],
    }


def test_a_voided_event_counts_nowhere_and_stays_visible(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()
    stop = next(e for e in reversed(events) if isinstance(e, ThawStopped))

    path = warehouse.publish(*events, case.void(stop))

    cycles = rows(path, "select pairing from fct_freeze_thaw_cycle order by cycle_no")
    assert [c["pairing"] for c in cycles] == ["closed", "thaw_open"]
    shown = rows(path, "select event_id from fct_timeline_event where is_voided")
    assert shown == [{"event_id": stop.header.event_id}]
    assert row(path, "select voided_count, cycle_count from fct_procedure") == {
        "voided_count": 1,
        "cycle_count": 1,
    }


def test_voiding_a_void_restores_and_voiding_an_amendment_takes_it_back(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)
    events = case.whole(end=90)
    void = case.void(events[-1])
    amendment = case.amend(events[-1], "/header/occurred_at", case.time(120))

    path = warehouse.publish(*events, void, amendment)
    assert row(path, DURATION) == {"duration_min": None}
    path = warehouse.publish(case.void(void))
    assert row(path, DURATION) == {"duration_min": 120.0}
    path = warehouse.publish(case.void(amendment))

    assert row(path, DURATION) == {"duration_min": 90.0}
    statuses = rows(
        path,
        "select correction_status as status, is_voided from fct_timeline_event"
        " where correction_status is not null order by seq",
    )
    assert [tuple(s.values()) for s in statuses] == [
        ("TAKEN_BACK", True),
        ("TAKEN_BACK", True),
        ("APPLIED", False),
        ("APPLIED", False),
    ]


def test_the_later_of_two_amendments_counts_and_both_are_shown_for_decision(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)
    events = case.whole()
    scheduled = events[0]
    first = case.amend(scheduled, "/tumour_size_mm", 31.0)
    rival = case.amend(scheduled, "/tumour_size_mm", 32.0)
    decided = case.amend(scheduled, "/tumour_size_mm", 33.0, supersedes=rival)

    path = warehouse.publish(*events, first, decided, rival)

    assert row(path, "select tumour_size_mm from fct_procedure") == {"tumour_size_mm": 32.0}
    concurrent = row(
        path, "select found from meta_quality where check_name = 'concurrent_amendments'"
    )
    assert concurrent == {"found": 1}


CHANGES = "select path, original_value, value, status, is_concurrent from fct_correction"


def test_concurrent_amendments_stand_beside_the_original_until_somebody_decides(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)
    events = case.whole()
    first = case.amend(events[0], "/tumour_size_mm", 31.0)
    rival = case.amend(events[0], "/tumour_size_mm", 32.0)
    decided = case.amend(events[0], "/tumour_size_mm", 33.0, supersedes=first)
    decided = replace(
        decided,
        changes=(
            *decided.changes,
            replace(decided.changes[0], supersedes_event_id=rival.header.event_id),
        ),
    )

    path = warehouse.publish(*events, first, rival)
    assert [tuple(r.values()) for r in rows(path, f"{CHANGES} order by seq")] == [
        ("/tumour_size_mm", "null", "31.0", "REPLACED", True),
        ("/tumour_size_mm", "null", "32.0", "IN_FORCE", True),
    ]
    path = warehouse.publish(decided)

    assert [tuple(r.values()) for r in rows(path, f"{CHANGES} order by seq, position")] == [
        ("/tumour_size_mm", "null", "31.0", "REPLACED", False),
        ("/tumour_size_mm", "null", "32.0", "REPLACED", False),
        ("/tumour_size_mm", "null", "33.0", "REPLACED", False),
        ("/tumour_size_mm", "null", "33.0", "IN_FORCE", False),
    ]
    quality = "select found from meta_quality where check_name = 'concurrent_amendments'"
    assert row(path, quality) == {"found": 0}


def test_the_readmes_example_decides_between_two_amendments(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()
    first = case.amend(events[0], "/tumour_size_mm", 31.0)
    rival = case.amend(events[0], "/tumour_size_mm", 32.0)
    readme = Path(__file__).parents[1] / "schemas" / "README.md"
    _, _, section = readme.read_text(encoding="utf-8").partition("## Deciding between two")
    example = json.loads(section.partition("```json")[2].partition("```")[0])
    example["header"] |= {
        "procedure_id": str(case.procedure_id),
        "lesion_id": str(events[0].header.lesion_id),
        "subject_id": str(case.subject_id),
    }
    example["target_event_id"] = str(events[0].header.event_id)
    for change, superseded in zip(example["changes"], (first, rival), strict=True):
        change["supersedes_event_id"] = str(superseded.header.event_id)

    path = warehouse.publish(*events, first, rival)
    undecided = rows(path, f"{CHANGES} where is_concurrent")
    path = warehouse.publish(event_from_json(example, event_id_default=uuid4()))

    assert len(undecided) == 2
    assert rows(path, f"{CHANGES} where is_concurrent") == []
    assert row(path, "select tumour_size_mm from fct_procedure") == {"tumour_size_mm": 33.0}


def test_a_correction_of_another_procedures_event_is_told_from_one_that_waits(
    warehouse: SmallWarehouse,
) -> None:
    case, other = Case(1), Case(2)
    events, others = case.whole(), other.whole()
    status = "select correction_status as s from fct_timeline_event where s is not null"

    path = warehouse.publish(*events, case.void(others[-1]))
    assert row(path, status) == {"s": "WAITING"}
    path = warehouse.publish(*others)

    assert row(path, status) == {"s": "OTHER_PROCEDURE"}
    assert row(path, "select status from fct_correction") == {"status": "OTHER_PROCEDURE"}
    assert rows(path, "select event_id from fct_timeline_event where is_voided") == []


def test_a_seal_cannot_be_voided(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    seal = case.at(
        ProcedureSealed,
        100,
        sealed_producer_ids=(),
        event_count=10,
        telemetry_chunk_count=0,
        content_root=b"0" * 32,
    )

    path = warehouse.publish(*case.whole(), seal, case.void(seal))

    assert row(path, "select sealed, voided_count from fct_procedure") == {
        "sealed": True,
        "voided_count": 0,
    }
    assert row(path, "select status from fct_correction") == {"status": "TARGETS_SEAL"}


def test_no_personal_value_is_copied_into_the_marts(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()
    decision = case.at(CaseDecisionRecorded, -900, reason_text="Mrs Miller fainted")
    amendment = case.amend(decision, "/reason_text", "her daughter fainted")

    path = warehouse.publish(*events, decision, amendment)

    assert row(path, CHANGES) == {
        "path": "/reason_text",
        "original_value": None,
        "value": None,
        "status": "IN_FORCE",
        "is_concurrent": False,
    }


def test_a_procedure_whose_events_are_all_voided_disappears(warehouse: SmallWarehouse) -> None:
    gone, stays = Case(1), Case(2)
    events = gone.whole()
    warehouse.publish(*events, *stays.whole())

    path = warehouse.publish(*(gone.void(event) for event in events))

    assert rows(path, "select procedure_label from fct_procedure") == [
        {"procedure_label": stays.label}
    ]
    for table in ("fct_probe", "fct_freeze_thaw_cycle", "fct_timeline_event", "dim_lesion"):
        left = rows(path, f"select distinct procedure_id from {table}")
        assert left == [{"procedure_id": stays.procedure_id}], table
    assert rows(path, "select subject_id from dim_subject") == [{"subject_id": stays.subject_id}]


def test_a_correction_that_comes_first_waits_for_its_target(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole(end=90)
    amendment = case.amend(events[-1], "/header/occurred_at", case.time(99))

    path = warehouse.publish(*events[:-1], amendment)
    waiting = rows(
        path, "select correction_status as s from fct_timeline_event where s is not null"
    )
    path = warehouse.publish(events[-1])

    assert waiting == [{"s": "WAITING"}]
    assert row(path, DURATION) == {"duration_min": 99.0}


def test_a_correction_of_other_content_or_of_no_field_changes_nothing(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)
    events = case.whole(end=90)
    end = events[-1]
    other = case.at(ProcedureEnded, 77)
    unseen = case.amend(other, "/header/occurred_at", case.time(77), checked=True)
    mismatched = type(unseen)(
        header=unseen.header,
        target_event_id=end.header.event_id,
        target_content_hash=unseen.target_content_hash,
        changes=unseen.changes,
        reason=unseen.reason,
    )
    pathless = case.amend(end, "/no_such_field", 1)

    path = warehouse.publish(*events, mismatched, pathless)

    assert row(path, DURATION) == {"duration_min": 90.0}
    found = rows(
        path,
        "select correction_status as s from fct_timeline_event where s is not null order by seq",
    )
    assert [item["s"] for item in found] == ["HASH_MISMATCH", "BAD_PATH"]
    quality = row(
        path, "select found, checked from meta_quality where check_name = 'corrections_not_applied'"
    )
    assert quality == {"found": 2, "checked": 2}


def test_the_new_value_of_what_changes_nothing_stands_beside_the_original(
    warehouse: SmallWarehouse,
) -> None:
    case = Case(1)
    events = case.whole()
    later = case.at(ProcedureEnded, 99)
    withdrawn = case.amend(events[0], "/tumour_size_mm", 34.0)

    path = warehouse.publish(
        *events,
        case.amend(events[0], "/tumor_size_mm", 31.0),
        case.amend(events[0], "/tumour_size_mm", "large"),
        case.amend(later, "/header/occurred_at", case.time(98)),
        withdrawn,
        case.void(withdrawn),
    )

    assert [
        tuple(r.values()) for r in rows(path, f"{CHANGES} where path is not null order by seq")
    ] == [
        ("/tumor_size_mm", None, "31.0", "BAD_PATH", False),
        ("/tumour_size_mm", "null", '"large"', "BAD_VALUE", False),
        ("/header/occurred_at", None, '"2026-03-02T10:38:00+00:00"', "WAITING", False),
        ("/tumour_size_mm", "null", "34.0", "TAKEN_BACK", False),
    ]


def test_no_personal_value_is_copied_from_what_changes_nothing(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()
    waiting = case.at(CaseDecisionRecorded, -900, reason_text="Mrs Miller fainted")

    path = warehouse.publish(*events, case.amend(waiting, "/reason_text", "her daughter fainted"))

    assert row(path, "select value, status from fct_correction") == {
        "value": None,
        "status": "WAITING",
    }


@pytest.mark.parametrize("of_itself", [False, True])
def test_voids_in_a_circle_that_is_broken_from_outside_are_decided(
    warehouse: SmallWarehouse, *, of_itself: bool
) -> None:
    case = Case(1)
    events = case.whole()
    void, other = case.void(events[0]), case.void(events[0])
    circle = [replace(void, target_event_id=(void if of_itself else other).header.event_id)]
    if not of_itself:
        circle.append(replace(other, target_event_id=void.header.event_id))

    path = warehouse.publish(*events, *circle, case.void(void))

    assert row(path, "select voided_count from fct_procedure") == {"voided_count": 1}
    statuses = rows(
        path,
        "select correction_status as s from fct_timeline_event where s is not null order by seq",
    )
    assert [item["s"] for item in statuses] == ["TAKEN_BACK", *["APPLIED"] * len(circle)]


def test_a_value_nested_without_end_stops_no_refresh(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole(end=90)
    # Our codec refuses such a value; the bytes of a foreign publisher are recorded all the same.
    placeholder = "x" * 99_998
    amendment = case.amend(events[-1], "/header/occurred_at", placeholder)
    incoming = warehouse.recorder.incoming(amendment)
    assert incoming.raw is not None
    raw = incoming.raw.replace(f'"{placeholder}"'.encode(), b"[" * 100_000)
    content_hash = sha256(parse_frame(raw).body).digest()
    warehouse.recorder.append([(EVENT, incoming._replace(raw=raw, content_hash=content_hash))])

    path = warehouse.publish(*events)

    assert row(path, DURATION) == {"duration_min": 90.0}
    status = "select correction_status as s from fct_timeline_event where s is not null"
    assert row(path, status) == {"s": "BAD_VALUE"}


def test_a_time_may_be_amended_in_any_notation_of_iso_8601(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole(end=90)

    path = warehouse.publish(
        *events, case.amend(events[-1], "/header/occurred_at", "20260302T104130Z")
    )

    assert row(path, DURATION) == {"duration_min": 101.5}


def test_an_amended_diagnosis_changes_the_cohort_of_lesions(warehouse: SmallWarehouse) -> None:
    case = Case(1)
    events = case.whole()
    assert isinstance(events[0], ProcedureScheduled)
    warehouse.publish(*events)

    path = warehouse.publish(case.amend(events[0], "/histology", "CHORDOMA"))

    categories = rows(
        path, "select category, k, unknown_count from cohort_summary where measure = 'histology'"
    )
    assert categories == [{"category": "CHORDOMA", "k": 1, "unknown_count": 0}]


def test_voided_and_amended_telemetry_chunks_are_followed(warehouse: SmallWarehouse) -> None:
    case = Case(1)

    def chunk(minute: float, *values: float | None) -> ProbeTelemetryChunk:
        return case.at(
            ProbeTelemetryChunk,
            minute,
            channel=Channel.TIP_TEMPERATURE_CEL,
            probe_id="1",
            period_ms=1000,
            values=values,
        )

    wrong, right = chunk(12, 37.0, 37.0), chunk(13, -100.0, -20.0)

    path = warehouse.publish(*case.whole(), wrong, right, case.void(wrong))
    temperature = "select sample_count, min_cel, mean_cel from fct_probe_temperature"
    assert row(path, temperature) == {"sample_count": 2, "min_cel": -100.0, "mean_cel": -60.0}
    path = warehouse.publish(case.amend(right, "/values", [-110.0, None]))

    assert row(path, temperature) == {"sample_count": 1, "min_cel": -110.0, "mean_cel": -110.0}
    assert row(path, "select sample_count, chunk_count from fct_telemetry_file") == {
        "sample_count": 2,
        "chunk_count": 1,
    }
