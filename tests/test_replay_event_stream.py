"""What a replay of the shipped table consists of, event by event."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from uuid import NAMESPACE_DNS, UUID, uuid5

import pytest
from replayed_cohort import (
    TOKYO,
    cohort,
    discrete,
    events,
    minute,
    of_procedure,
    of_type,
    procedures,
    row,
)

from cryotrail_producers.replay import event_count, source_of
from cryotrail_producers.replay.stream import published_at
from cryotrail_schemas.events import (
    CtAcquired,
    DisplacementPerformed,
    Event,
    FollowUpImagingPerformed,
    FreezeStarted,
    FreezeStopped,
    IceBallChecked,
    LabResultRecorded,
    PatientDischarged,
    ProbeTelemetryChunk,
    ProcedureEnded,
    ProcedureScheduled,
    ProcedureStarted,
    ResponseAssessed,
    ThawStarted,
    ThawStopped,
    VitalStatusUpdated,
)

NAMESPACE = uuid5(NAMESPACE_DNS, "cryotrail")
PER_PROCEDURE = {
    "R01": 65,
    "R02": 78,
    "R03": 78,
    "R04": 64,
    "R05": 65,
    "R06": 64,
    "R07": 81,
    "R08": 71,
    "R09": 98,
    "R10": 88,
    "R11": 61,
}


def spans_min(procedure: str, cycle_no: int) -> dict[str, tuple[float, float, float]]:
    """Freeze start, freeze stop and thaw stop of each probe in one cycle, in minutes."""

    def at(kind: type[FreezeStarted | FreezeStopped | ThawStopped]) -> dict[str, float]:
        return {
            event.probe_id: minute(event, procedure)
            for event in of_type(kind, procedure)
            if event.cycle_no == cycle_no
        }

    starts, stops, thawed = at(FreezeStarted), at(FreezeStopped), at(ThawStopped)
    return {probe: (starts[probe], stops[probe], thawed[probe]) for probe in starts}


def test_there_are_152_ct_acquisitions() -> None:
    phases = Counter(ct.phase.value for ct in of_type(CtAcquired))

    assert phases == {"PLANNING": 11, "TARGETING": 26, "MONITORING": 104, "SURVEY": 11}
    assert phases.total() == 152


def test_there_are_62_probe_cycles_each_with_all_four_events() -> None:
    for kind in (FreezeStarted, FreezeStopped, ThawStarted, ThawStopped):
        keys = {(e.header.procedure_id, e.probe_id, e.cycle_no) for e in of_type(kind)}
        assert len(of_type(kind)) == len(keys) == 62


def test_there_are_10_992_chunks_of_ten_tip_temperatures_at_1_hz() -> None:
    chunks = of_type(ProbeTelemetryChunk)

    assert len(chunks) == 10_992
    assert sum(len(chunk.values) for chunk in chunks) == 109_920
    assert {(chunk.channel.value, chunk.period_ms) for chunk in chunks} == {
        ("TIP_TEMPERATURE_CEL", 1000)
    }


def test_every_type_has_its_number_of_events() -> None:
    assert Counter(event.TYPE for event in discrete()) == {
        "ProcedureScheduled": 11,
        "LabResultRecorded": 22,
        "ConsentObtained": 11,
        "EmbolizationPerformed": 3,
        "ChecklistCompleted": 22,
        "CtAcquired": 152,
        "ProcedureStarted": 11,
        "AnaesthesiaGiven": 11,
        "DisplacementPerformed": 1,
        "ProbeInserted": 26,
        "ProbeAnchored": 26,
        "FreezeStarted": 62,
        "FreezeStopped": 62,
        "ThawStarted": 62,
        "ThawStopped": 62,
        "IceBallChecked": 104,
        "ProbeRemoved": 26,
        "TractChecked": 26,
        "ProcedureEnded": 11,
        "PatientDischarged": 11,
        "ProcedureSealed": 11,
        "ComplicationReported": 3,
        "FollowUpImagingPerformed": 34,
        "ResponseAssessed": 34,
        "VitalStatusUpdated": 9,
    }
    assert len(discrete()) == 813


def test_every_procedure_has_its_number_of_discrete_events() -> None:
    counted = {
        one: sum(not isinstance(event, ProbeTelemetryChunk) for event in of_procedure(one))
        for one in procedures()
    }

    assert counted == PER_PROCEDURE


def test_the_count_announced_is_the_count_yielded() -> None:
    assert event_count(cohort()) == len(events()) == 11_805


def test_freeze_and_thaw_minutes_as_union_over_probes_and_as_sum() -> None:
    freeze = thaw = probe_freeze = probe_thaw = 0.0
    for one in procedures():
        for cycle_no in range(1, row(one).cycle_count + 1):
            spans = list(spans_min(one, cycle_no).values())
            # All probes of a cycle freeze and thaw at one time, so one span is the union.
            assert len(set(spans)) == 1
            start, stop, thawed = spans[0]
            freeze += stop - start
            thaw += thawed - stop
            probe_freeze += (stop - start) * len(spans)
            probe_thaw += (thawed - stop) * len(spans)

    assert (freeze, thaw, probe_freeze, probe_thaw) == (514, 252, 1228, 604)


def test_the_worked_case_minute_by_minute() -> None:
    day = [
        (minute(event, "R01"), event.TYPE, getattr(event, "probe_id", None))
        for event in of_procedure("R01")
        if not isinstance(event, ProbeTelemetryChunk) and -60 < minute(event, "R01") < 120
    ]

    def freeze(start: int, stop: int, thawed: int) -> list[tuple[float, str, str | None]]:
        looks = (start + 5, start + 10, start + 15, stop - 1)
        return [
            (start, "FreezeStarted", "1"),
            (start, "FreezeStarted", "2"),
            *((look, kind, None) for look in looks for kind in ("CtAcquired", "IceBallChecked")),
            (stop, "FreezeStopped", "1"),
            (stop, "FreezeStopped", "2"),
            (stop, "ThawStarted", "1"),
            (stop, "ThawStarted", "2"),
            (thawed, "ThawStopped", "1"),
            (thawed, "ThawStopped", "2"),
        ]

    assert day == [
        (-20, "ChecklistCompleted", None),
        (-10, "ChecklistCompleted", None),
        (-6, "CtAcquired", None),
        (0, "ProcedureStarted", None),
        (0, "AnaesthesiaGiven", None),
        (8, "ProbeInserted", "1"),
        (12, "CtAcquired", None),
        (16, "ProbeInserted", "2"),
        (20, "CtAcquired", None),
        (22, "ProbeAnchored", "1"),
        (22, "ProbeAnchored", "2"),
        *freeze(24, 44, 54),
        *freeze(54, 74, 84),
        (86, "ProbeRemoved", "1"),
        (87, "ProbeRemoved", "2"),
        (88, "TractChecked", "1"),
        (88, "TractChecked", "2"),
        (93, "CtAcquired", None),
        (96, "ProcedureEnded", None),
    ]


def test_the_short_case_runs_17_7_17_5() -> None:
    assert spans_min("R04", 1)["1"] == (11, 28, 35)
    assert spans_min("R04", 2)["1"] == (35, 52, 57)
    (ended,) = of_type(ProcedureEnded, "R04")
    assert minute(ended, "R04") == 63


def test_only_the_last_thaw_of_a_procedure_is_active() -> None:
    for one in procedures():
        last = row(one).cycle_count
        for thaw in of_type(ThawStarted, one):
            assert thaw.mode == ("ACTIVE_HELIUM" if thaw.cycle_no == last else "PASSIVE")


def test_durations_are_those_of_the_table() -> None:
    for one in procedures():
        (ended,) = of_type(ProcedureEnded, one)
        assert minute(ended, one) == row(one).duration_min


def test_procedures_start_at_ten_in_tokyo_which_is_one_in_utc() -> None:
    for one in procedures():
        (started,) = of_type(ProcedureStarted, one)
        assert started.header.occurred_at == datetime.combine(row(one).treated_on, time(1), UTC)


def test_the_bowel_is_moved_by_air_half_a_step_before_the_first_probe() -> None:
    (moved,) = of_type(DisplacementPerformed)

    assert (moved.medium, moved.structure, moved.successful) == ("AIR", "BOWEL", True)
    assert minute(moved, "R07") == pytest.approx(65 / 3 / 2, abs=1 / 60)


def test_the_days_around_the_procedure() -> None:
    offsets_d = {
        "ProcedureScheduled": {-7},
        "LabResultRecorded": {-3},
        "ConsentObtained": {-1},
        "EmbolizationPerformed": {-1},
        "PatientDischarged": {1},
        "ProcedureSealed": {1},
        "ComplicationReported": {0, 7},
    }
    for kind, expected in offsets_d.items():
        seen = {
            (event.header.occurred_at.astimezone(TOKYO).date() - row(one).treated_on).days
            for one in procedures()
            for event in of_procedure(one)
            if kind == event.TYPE
        }
        assert seen == expected, kind
    (embolized,) = (e for e in of_procedure("R01") if e.TYPE == "EmbolizationPerformed")
    assert minute(embolized, "R01") == -24 * 60
    (discharged,) = of_type(PatientDischarged, "R01")
    assert discharged.header.occurred_at.astimezone(TOKYO).time() == time(10)


def test_34_mri_visits_each_with_its_assessment_stand_under_first_procedures() -> None:
    assessed = {event.imaging_event_id: event for event in of_type(ResponseAssessed)}
    first = {one for one in procedures() if row(one).procedure_no == 1}

    seen = Counter[str]()
    for one in procedures():
        for image in of_type(FollowUpImagingPerformed, one):
            seen[one] += 1
            assert (image.modality, image.gadolinium) == ("MRI", True)
            assert assessed[image.header.event_id].local_control is True
            assert assessed[image.header.event_id].header.lesion_id == image.header.lesion_id
    assert seen.total() == len(assessed) == 34
    assert set(seen) == first


def test_the_subject_who_died_at_twelve_months_was_imaged_ten_days_before() -> None:
    *_, last = of_type(FollowUpImagingPerformed, "R05")

    assert last.planned_month == 12
    day = last.header.occurred_at.astimezone(TOKYO).date()
    assert (day - row("R05").treated_on).days == 365 - 10


def test_vital_status_is_one_a_subject_and_not_one_a_procedure() -> None:
    statuses = of_type(VitalStatusUpdated)

    assert len(statuses) == 9
    assert len({status.header.subject_id for status in statuses}) == 9
    assert Counter(status.disease_status.value for status in statuses) == {
        "NED": 4,
        "AWD": 2,
        "DOD": 3,
    }
    assert all((s.vital_status == "DEAD") == (s.disease_status == "DOD") for s in statuses)


def test_a_second_treatment_is_a_new_lesion_of_the_same_subject_and_names_the_first() -> None:
    (first,), (second,) = of_type(ProcedureScheduled, "R07"), of_type(ProcedureScheduled, "R08")

    assert second.header.subject_id == first.header.subject_id
    assert second.header.lesion_id != first.header.lesion_id
    assert second.retreatment_of_procedure_id == first.header.procedure_id
    assert first.retreatment_of_procedure_id is None


def test_labels_are_those_of_the_rows() -> None:
    labels = [event.procedure_label for event in of_type(ProcedureScheduled)]

    assert labels == [f"CRYO-{number:04d}" for number in range(1, 12)]


def test_ids_are_the_uuid5_of_their_path_in_the_data_set() -> None:
    data_set = cohort().data_set

    def expected(path: str) -> UUID:
        return uuid5(NAMESPACE, f"{data_set}/{path}")

    header = of_type(ProcedureStarted, "R01")[0].header
    assert header.procedure_id == expected("R01")
    assert header.subject_id == expected("P1")
    assert header.event_id == expected("R01/ProcedureStarted/-/-/1")
    freeze = next(e for e in of_type(FreezeStarted, "R09") if (e.probe_id, e.cycle_no) == ("3", 2))
    assert freeze.header.event_id == expected("R09/FreezeStarted/3/2/1")
    assert freeze.header.lesion_id == expected("R09/lesion")
    third_look = [e for e in of_type(IceBallChecked, "R01") if e.cycle_no == 2][2]
    assert third_look.header.event_id == expected("R01/IceBallChecked/-/2/3")
    chunks = [
        e for e in of_type(ProbeTelemetryChunk, "R01") if (e.probe_id, e.cycle_no) == ("2", 1)
    ]
    assert chunks[-1].header.event_id == expected(
        f"R01/ProbeTelemetryChunk/TIP_TEMPERATURE_CEL.2/1/{len(chunks)}"
    )
    assert source_of(cohort()) == f"urn:cryotrail:replay:{data_set}"


def test_no_two_events_share_an_id() -> None:
    assert len({event.header.event_id for event in events()}) == len(events())


def test_every_event_says_that_it_is_reconstructed() -> None:
    assert {event.header.data_origin.value for event in events()} == {"RECONSTRUCTED"}
    assert {event.header.time_basis.value for event in events()} == {"SITE_TZ_ASSUMED"}
    assert {chunk.quality.value for chunk in of_type(ProbeTelemetryChunk)} == {"SIMULATED"}


@pytest.mark.parametrize("procedure", procedures())
def test_a_procedure_s_events_are_published_in_order_of_time(procedure: str) -> None:
    for before, after in pairwise(of_procedure(procedure)):
        assert published_at(before) <= published_at(after)


def test_a_chunk_is_published_once_its_last_sample_was_taken() -> None:
    chunk = of_type(ProbeTelemetryChunk)[0]

    assert published_at(chunk) == chunk.header.occurred_at + timedelta(seconds=10)


def test_chunks_cover_each_freeze_and_thaw_without_gap_or_overlap() -> None:
    for probe, cycle_no in (("1", 1), ("2", 2)):
        chunks = [
            chunk
            for chunk in of_type(ProbeTelemetryChunk, "R01")
            if (chunk.probe_id, chunk.cycle_no) == (probe, cycle_no)
        ]
        start, _, thawed = spans_min("R01", cycle_no)[probe]
        expected = [start + index / 6 for index in range(len(chunks))]
        assert [minute(chunk, "R01") for chunk in chunks] == pytest.approx(expected)
        assert minute(chunks[-1], "R01") + 1 / 6 == pytest.approx(thawed)


def test_extremes_reported_by_the_console_are_those_of_its_samples() -> None:
    for one in ("R02", "R04"):
        for stop in of_type(FreezeStopped, one):
            samples = [
                value
                for chunk in of_type(ProbeTelemetryChunk, one)
                if (chunk.probe_id, chunk.cycle_no) == (stop.probe_id, stop.cycle_no)
                for value in chunk.values
                if value is not None
            ]
            assert stop.tip_min_cel == min(samples)


def test_what_the_paper_does_not_give_is_null_or_unknown() -> None:
    given: dict[str, set[str]] = {
        "ProcedureScheduled": {
            "ecog_grade",
            "weight_bearing",
            "skin_distance_mm",
            "nearest_structure_distance_mm",
            "prior_irradiation",
        },
        "LabResultRecorded": {"value", "unit_ucum", "collected_at"},
        "ComplicationReported": {"onset_at"},
        "CtAcquired": {"dlp_mgycm", "ctdi_vol_mgy", "series_uid"},
        "ProbeInserted": {"gauge", "diameter_mm", "depth_mm", "angle_deg"},
        "FreezeStarted": {"flow_pct"},
        "IceBallChecked": {"long_axis_mm", "short_axis_mm"},
        "ResponseAssessed": {"longest_diameter_mm"},
    }
    for event in discrete():
        for field in given.get(event.TYPE, set()):
            assert getattr(event, field) is None, f"{event.TYPE}.{field}"
        assert event.header.clock_offset_ms is None
    unknown = {
        "ProcedureScheduled": {"side", "intent", "nearest_structure"},
        "ProcedureStarted": {"patient_position"},
        "ResponseAssessed": {"enhancement", "recist"},
        "ComplicationReported": {"relation"},
    }
    for event in discrete():
        for field in unknown.get(event.TYPE, set()):
            assert getattr(event, field) == "UNKNOWN", f"{event.TYPE}.{field}"


def test_complications_carry_no_grade() -> None:
    reported = [event for event in discrete() if event.TYPE == "ComplicationReported"]

    assert [getattr(event, "gradings", None) for event in reported] == [(), (), ()]


def test_lab_results_are_two_screens_with_an_interpretation_alone() -> None:
    assert Counter(
        (lab.analyte.value, lab.interpretation.value) for lab in of_type(LabResultRecorded)
    ) == {
        ("COAGULATION_SCREEN", "NORMAL"): 11,
        ("INFECTION_SCREEN", "NORMAL"): 11,
    }


def _lesion_events() -> list[Event]:
    kinds = (ProcedureScheduled, FreezeStarted, ThawStopped, IceBallChecked, ResponseAssessed)
    return [event for event in events() if isinstance(event, kinds)]


def test_events_about_a_lesion_name_it() -> None:
    assert all(event.header.lesion_id is not None for event in _lesion_events())
    assert len({event.header.lesion_id for event in _lesion_events()}) == 11
