"""What precedes the first skin puncture: scheduling, tests, consent, embolization, checklists."""

from __future__ import annotations

from collections.abc import Iterator

from cryotrail_producers.replay.case import Case
from cryotrail_producers.replay.headers import procedure_id
from cryotrail_producers.replay.minute_plan import PLANNING_CT_S, SIGN_IN_S, TIME_OUT_S
from cryotrail_schemas.events import (
    ActorRole,
    Analyte,
    BoneMatrix,
    ChecklistCompleted,
    ChecklistPhase,
    ConsentForm,
    ConsentObtained,
    CtAcquired,
    CtPhase,
    EmbolizationPerformed,
    Event,
    Intent,
    Interpretation,
    LabResultRecorded,
    ProcedureScheduled,
    Side,
    Structure,
    Tissue,
)

PROTOCOL_ID = "seed-2016"
EMBOLIZED_S = -24 * 60 * 60


def preparation(case: Case) -> Iterator[Event]:
    """Everything before minute 0, in order of time."""
    yield _scheduled(case)
    yield from _screens(case)
    yield ConsentObtained(
        header=case.headers.make(ConsentObtained, case.days_after(-1), ActorRole.OPERATOR),
        form=ConsentForm.WRITTEN,
    )
    if case.row.embolized:
        yield EmbolizationPerformed(
            header=case.headers.make(
                EmbolizationPerformed, case.at(EMBOLIZED_S), ActorRole.OPERATOR
            ),
            successful=True,
        )
    for phase, seconds in (
        (ChecklistPhase.SIGN_IN, SIGN_IN_S),
        (ChecklistPhase.TIME_OUT, TIME_OUT_S),
    ):
        yield ChecklistCompleted(
            header=case.headers.make(ChecklistCompleted, case.at(seconds), ActorRole.NURSE),
            phase=phase,
        )
    yield CtAcquired(
        header=case.headers.make(CtAcquired, case.at(PLANNING_CT_S), ActorRole.RADIOGRAPHER),
        phase=CtPhase.PLANNING,
    )


def _scheduled(case: Case) -> ProcedureScheduled:
    """The referral. What the table does not say is null or UNKNOWN: side, distances, ECOG."""
    row = case.row
    return ProcedureScheduled(
        header=case.headers.make(ProcedureScheduled, case.days_after(-7), ActorRole.REFERRER),
        procedure_label=row.label,
        protocol_id=PROTOCOL_ID,
        age_years=row.age_years,
        sex=row.sex,
        intent=Intent.UNKNOWN,
        scheduled_for=case.started_at,
        retreatment_of_procedure_id=(
            procedure_id(case.data_set, row.retreatment_of) if row.retreatment_of else None
        ),
        histology=row.histology,
        origin=row.origin,
        tissue=row.tissue,
        site=row.site,
        side=Side.UNKNOWN,
        tumour_size_mm=float(row.size_mm),
        # Osteoblastic lesions were excluded; which of the others it was is not said per lesion.
        bone_matrix=(
            BoneMatrix.LYTIC_OR_MIXED if row.tissue is Tissue.BONE else BoneMatrix.NOT_BONE
        ),
        nearest_structure=Structure.UNKNOWN,
    )


def _screens(case: Case) -> Iterator[LabResultRecorded]:
    """Coagulation and infection were tested before every procedure; no value is printed."""
    for analyte in (Analyte.COAGULATION_SCREEN, Analyte.INFECTION_SCREEN):
        yield LabResultRecorded(
            header=case.headers.make(LabResultRecorded, case.days_after(-3), ActorRole.NURSE),
            analyte=analyte,
            interpretation=Interpretation.NORMAL,
        )
