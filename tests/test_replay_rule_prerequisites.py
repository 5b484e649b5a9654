"""What the quality rules will ask of the replayed cohort is there, in the counts to be expected.

Each test states the condition of one rule under the protocol seed-2016 directly on the events.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import pytest
from replayed_cohort import TOKYO, of_procedure, of_type, procedures

from cryotrail_schemas.events import (
    ChecklistCompleted,
    ComplicationReported,
    ConsentObtained,
    DisplacementPerformed,
    EmbolizationPerformed,
    Event,
    FollowUpImagingPerformed,
    FreezeStarted,
    FreezeStopped,
    IceBallChecked,
    LabResultRecorded,
    NeuromonitoringRecorded,
    PatientDischarged,
    ProbeInserted,
    ProbeRemoved,
    ProcedureEnded,
    ProcedureScheduled,
    ProcedureStarted,
    ThawStarted,
    ThawStopped,
    ThermosensorPlaced,
    TractChecked,
    VitalStatusUpdated,
)
from cryotrail_schemas.plausibility import warnings
from cryotrail_schemas.procedure import Phase, fold

HYPERVASCULAR = {"RENAL_CELL_CARCINOMA", "HEPATOCELLULAR_CARCINOMA", "THYROID_CARCINOMA"}
SomeEvent = TypeVar("SomeEvent", bound=Event)


def the(kind: type[SomeEvent], procedure: str) -> SomeEvent:
    (event,) = of_type(kind, procedure)
    return event


def first_insertion(procedure: str) -> Event:
    return min(of_type(ProbeInserted, procedure), key=lambda event: event.header.occurred_at)


@pytest.mark.parametrize("procedure", procedures())
def test_the_whole_sequence_is_a_possible_procedure(procedure: str) -> None:
    view = fold(of_procedure(procedure))

    assert view.deviations == ()
    assert view.phase is Phase.SEALED


def test_no_value_is_implausible() -> None:
    assert [warnings(event) for one in procedures() for event in of_procedure(one)] == [()] * 11_805


@pytest.mark.parametrize("procedure", procedures())
def test_consent_and_time_out_precede_the_first_probe(procedure: str) -> None:
    inserted_at = first_insertion(procedure).header.occurred_at
    checklists = {
        c.phase.value: c.header.occurred_at for c in of_type(ChecklistCompleted, procedure)
    }

    assert the(ConsentObtained, procedure).header.occurred_at < inserted_at
    assert the(ConsentObtained, procedure).form == "WRITTEN"
    assert checklists["SIGN_IN"] < checklists["TIME_OUT"] < inserted_at


@pytest.mark.parametrize("procedure", procedures())
def test_coagulation_and_infection_screens_are_at_hand_without_values(procedure: str) -> None:
    inserted_at = first_insertion(procedure).header.occurred_at
    labs = of_type(LabResultRecorded, procedure)

    assert {lab.analyte.value for lab in labs} == {"COAGULATION_SCREEN", "INFECTION_SCREEN"}
    for lab in labs:
        age = inserted_at - lab.header.occurred_at
        assert timedelta(0) < age <= timedelta(days=30)


def test_seven_bone_lesions_are_not_osteoblastic() -> None:
    scheduled = of_type(ProcedureScheduled)

    matrices = [event.bone_matrix for event in scheduled if event.tissue == "BONE"]
    assert matrices == ["LYTIC_OR_MIXED"] * 7
    others = [event.bone_matrix for event in scheduled if event.tissue != "BONE"]
    assert others == ["NOT_BONE"] * 4


def test_one_structure_was_moved_before_the_first_freeze() -> None:
    moved = the(DisplacementPerformed, "R07")
    first_freeze = of_type(FreezeStarted, "R07")[0]

    assert len(of_type(DisplacementPerformed)) == 1
    assert moved.successful
    assert moved.header.occurred_at < first_freeze.header.occurred_at


def test_three_of_six_hypervascular_tumours_were_embolized_within_72_hours() -> None:
    in_time = {}
    for one in procedures():
        if the(ProcedureScheduled, one).histology in HYPERVASCULAR:
            before = [
                first_insertion(one).header.occurred_at - event.header.occurred_at
                for event in of_type(EmbolizationPerformed, one)
            ]
            in_time[one] = any(timedelta(0) < gap <= timedelta(hours=72) for gap in before)

    assert in_time == {
        "R01": True,
        "R02": True,
        "R03": False,
        "R04": False,
        "R05": True,
        "R06": False,
    }


def test_every_probe_cycle_keeps_the_nominal_lengths_and_only_the_short_case_needs_tolerance() -> (
    None
):
    exact: dict[str, bool] = {}
    probe_cycles = 0
    for one in procedures():
        starts = {(e.probe_id, e.cycle_no): e for e in of_type(FreezeStarted, one)}
        stops = {(e.probe_id, e.cycle_no): e for e in of_type(FreezeStopped, one)}
        thaws = {(e.probe_id, e.cycle_no): e for e in of_type(ThawStarted, one)}
        thawed = {(e.probe_id, e.cycle_no): e for e in of_type(ThawStopped, one)}
        for key, start in starts.items():
            probe_cycles += 1
            freeze = stops[key].header.occurred_at - start.header.occurred_at
            thaw = thawed[key].header.occurred_at - thaws[key].header.occurred_at
            assert timedelta(minutes=15) <= freeze <= timedelta(minutes=25)
            assert timedelta(minutes=4) <= thaw <= timedelta(minutes=20)
            nominal = (freeze, thaw) == (timedelta(minutes=20), timedelta(minutes=10))
            exact[one] = exact.get(one, True) and nominal

    assert probe_cycles == 62
    assert [one for one, nominal in exact.items() if not nominal] == ["R04"]


@pytest.mark.parametrize("procedure", procedures())
def test_each_freeze_is_looked_at_every_five_minutes_to_its_stop(procedure: str) -> None:
    cycles = {event.cycle_no for event in of_type(FreezeStarted, procedure)}
    for cycle_no in cycles:
        instants = [
            event.header.occurred_at
            for kind in (FreezeStarted, IceBallChecked, FreezeStopped)
            for event in of_type(kind, procedure)
            if event.cycle_no == cycle_no
        ]
        gaps = [after - before for before, after in pairwise(instants)]
        assert max(gaps) <= timedelta(minutes=5)


@pytest.mark.parametrize("procedure", procedures())
def test_probes_come_out_thawed_and_warm_and_their_tracts_are_dry_within_ten_minutes(
    procedure: str,
) -> None:
    thawed = {event.probe_id: event.header.occurred_at for event in of_type(ThawStopped, procedure)}
    tracts = {event.probe_id: event for event in of_type(TractChecked, procedure)}
    removed = of_type(ProbeRemoved, procedure)

    assert {e.probe_id for e in removed} == {e.probe_id for e in of_type(ProbeInserted, procedure)}
    for event in removed:
        assert thawed[event.probe_id] < event.header.occurred_at
        assert event.tip_temperature_cel is not None
        assert event.tip_temperature_cel > 0
        waited = tracts[event.probe_id].header.occurred_at - event.header.occurred_at
        assert timedelta(0) < waited <= timedelta(minutes=10)
        assert tracts[event.probe_id].bleeding is False


@pytest.mark.parametrize("procedure", procedures())
def test_discharge_is_on_the_next_day_of_the_site(procedure: str) -> None:
    ended = the(ProcedureEnded, procedure).header.occurred_at.astimezone(TOKYO).date()
    discharged = the(PatientDischarged, procedure).header.occurred_at.astimezone(TOKYO).date()

    assert discharged - ended == timedelta(days=1)


def test_every_visit_is_within_the_window_of_its_month() -> None:
    window_d = {1: 14, 3: 21, 6: 30, 12: 45}
    for one in procedures():
        treated = the(ProcedureStarted, one).header.occurred_at
        for image in of_type(FollowUpImagingPerformed, one):
            assert image.planned_month is not None
            off_target = image.header.occurred_at - treated
            off_target -= timedelta(days=image.planned_month * 30.4375)
            assert abs(off_target) <= timedelta(days=window_d[image.planned_month])


def test_no_visit_follows_the_last_contact() -> None:
    for one in procedures():
        for status in of_type(VitalStatusUpdated, one):
            for image in of_type(FollowUpImagingPerformed, one):
                assert image.header.occurred_at <= status.header.occurred_at


def test_three_complications_are_ungraded() -> None:
    assert [event.gradings for event in of_type(ComplicationReported)] == [(), (), ()]


def test_no_sensor_and_no_monitoring_is_made_up() -> None:
    assert not of_type(ThermosensorPlaced)
    assert not of_type(NeuromonitoringRecorded)
