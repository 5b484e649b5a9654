"""The procedure itself, from the first skin puncture to discharge on the next day."""

from __future__ import annotations

from collections.abc import Iterator

from cryotrail_producers.replay.case import Case
from cryotrail_producers.replay.freeze_and_thaw import freeze_and_thaw
from cryotrail_schemas.events import (
    ActorRole,
    AnaesthesiaGiven,
    AnaesthesiaKind,
    CtAcquired,
    CtPhase,
    Destination,
    DisplacementPerformed,
    EndStatus,
    Event,
    Gas,
    PatientDischarged,
    Position,
    ProbeAnchored,
    ProbeInserted,
    ProbeRemoved,
    ProcedureEnded,
    ProcedureStarted,
    Site,
    Structure,
    TractChecked,
)

CONSOLE_MODEL = "Endocare CryoCare"


def procedure_day(case: Case) -> Iterator[Event]:
    """Minute 0 to discharge, in order of time."""
    yield from _access(case)
    yield from freeze_and_thaw(case)
    yield from _withdrawal(case)
    yield PatientDischarged(
        header=case.headers.make(PatientDischarged, case.discharged_at, ActorRole.NURSE),
        destination=Destination.UNKNOWN,
    )


def _access(case: Case) -> Iterator[Event]:
    """Puncture, displacement, and each probe with the CT that shows where it lies."""
    make, at, plan = case.headers.make, case.at, case.plan
    yield ProcedureStarted(
        header=make(ProcedureStarted, at(0), ActorRole.OPERATOR),
        patient_position=Position.UNKNOWN,
        gas=Gas.ARGON_HELIUM,
        console_model_text=CONSOLE_MODEL,
    )
    yield AnaesthesiaGiven(
        header=make(AnaesthesiaGiven, at(0), ActorRole.OPERATOR),
        kind=AnaesthesiaKind.LOCAL_TRACT,
    )
    if case.row.displacement is not None:
        yield DisplacementPerformed(
            header=make(DisplacementPerformed, at(plan.displacement_s), ActorRole.OPERATOR),
            medium=case.row.displacement,
            # In the retroperitoneum it is the bowel that is moved; the table has no such column.
            structure=(
                Structure.BOWEL if case.row.site is Site.RETROPERITONEUM else Structure.UNKNOWN
            ),
            successful=True,
        )
    placed = zip(case.probe_ids, plan.insertions_s, plan.targeting_cts_s, strict=True)
    for number, (probe_id, inserted_s, targeting_s) in enumerate(placed, start=1):
        yield ProbeInserted(
            header=make(ProbeInserted, at(inserted_s), ActorRole.OPERATOR, probe=probe_id),
            probe_id=probe_id,
            probe_no=number,
        )
        yield CtAcquired(
            header=make(CtAcquired, at(targeting_s), ActorRole.RADIOGRAPHER),
            phase=CtPhase.TARGETING,
        )
    for probe_id in case.probe_ids:
        yield ProbeAnchored(
            header=make(ProbeAnchored, at(plan.anchoring_s), ActorRole.OPERATOR, probe=probe_id),
            probe_id=probe_id,
        )


def _withdrawal(case: Case) -> Iterator[Event]:
    """Probes out, every tract looked at and dry, a last CT, the end."""
    make, at, plan = case.headers.make, case.at, case.plan
    out = zip(case.probe_ids, plan.removals_s, case.tip_curves, strict=True)
    for probe_id, removed_s, curve in out:
        yield ProbeRemoved(
            header=make(ProbeRemoved, at(removed_s), ActorRole.OPERATOR, probe=probe_id),
            probe_id=probe_id,
            tip_temperature_cel=curve.removed_cel,
        )
    for probe_id in case.probe_ids:
        yield TractChecked(
            header=make(TractChecked, at(plan.tract_checks_s), ActorRole.OPERATOR, probe=probe_id),
            probe_id=probe_id,
            bleeding=False,
        )
    yield CtAcquired(
        header=make(CtAcquired, at(plan.survey_ct_s), ActorRole.RADIOGRAPHER),
        phase=CtPhase.SURVEY,
    )
    yield ProcedureEnded(
        header=make(ProcedureEnded, at(plan.duration_s), ActorRole.OPERATOR),
        status=EndStatus.COMPLETED,
    )
