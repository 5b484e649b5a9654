"""The phases of a procedure, and events of its day that come after the seal."""

from event_samples import header, sample_id

from cryotrail_schemas import events
from cryotrail_schemas.procedure import Phase, fold

SCHEDULED = events.ProcedureScheduled(
    header=header("scheduled", minute=-60),
    procedure_label="CRYO-0001",
    protocol_id="seed-2016",
    sex=events.Sex.UNKNOWN,
    intent=events.Intent.UNKNOWN,
    histology=events.Histology.UNKNOWN,
    origin=events.LesionOrigin.UNKNOWN,
    tissue=events.Tissue.BONE,
    site=events.Site.UNKNOWN,
    side=events.Side.UNKNOWN,
    bone_matrix=events.BoneMatrix.UNKNOWN,
    nearest_structure=events.Structure.UNKNOWN,
)
STARTED = events.ProcedureStarted(
    header=header("started"), patient_position=events.Position.PRONE, gas=events.Gas.ARGON_HELIUM
)
ENDED = events.ProcedureEnded(header=header("ended", minute=96), status=events.EndStatus.ABORTED)
DISCHARGED = events.PatientDischarged(
    header=header("discharged", minute=1400), destination=events.Destination.HOME
)


def sealed(name="sealed", minute=1500):
    return events.ProcedureSealed(
        header=header(name, minute=minute),
        sealed_producer_ids=(),
        event_count=4,
        telemetry_chunk_count=0,
        content_root=b"\0" * 32,
    )


def scan(minute):
    return events.CtAcquired(header=header("scan", minute=minute), phase=events.CtPhase.SURVEY)


COURSE = [SCHEDULED, STARTED, ENDED, DISCHARGED, sealed()]


def test_phases_follow_each_other():
    for count, phase in enumerate(Phase):
        view = fold(COURSE[:count])

        assert view.phase is phase
        assert view.deviations == ()
    assert view.reached_at[Phase.STARTED] == STARTED.header.occurred_at
    assert view.end_status is events.EndStatus.ABORTED


def test_events_are_taken_by_the_time_of_occurrence():
    assert fold(reversed(COURSE)) == fold(COURSE)


def test_a_phase_without_the_one_before_is_out_of_order():
    found = fold([SCHEDULED, ENDED]).deviations

    assert [(item.label, item.event_id) for item in found] == [
        ("phase_out_of_order", sample_id("ended"))
    ]


def test_a_phase_that_comes_twice_is_out_of_order():
    again = events.ProcedureStarted(
        header=header("again", minute=5),
        patient_position=events.Position.PRONE,
        gas=events.Gas.UNKNOWN,
    )

    found = fold([*COURSE, again]).deviations

    assert [item.event_id for item in found] == [sample_id("again")]


def test_each_outbox_may_seal():
    assert fold([*COURSE, sealed("second", 1501)]).deviations == ()


def test_an_event_of_the_day_after_the_seal_is_late():
    found = fold([*COURSE, scan(1600)]).deviations

    assert [(item.label, item.event_id) for item in found] == [("late", sample_id("scan"))]
    assert fold([*COURSE, scan(90)]).deviations == ()


def test_after_care_and_record_keeping_are_never_late():
    imaging = events.FollowUpImagingPerformed(
        header=header("imaging", minute=50_000), modality=events.ImagingModality.MRI
    )
    correction = events.EventVoided(
        header=header("void", minute=50_001),
        target_event_id=sample_id("scan"),
        reason=events.CorrectionReason.DUPLICATE,
    )

    assert fold([*COURSE, imaging, correction]).deviations == ()
