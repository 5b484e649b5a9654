"""What follows a procedure: complications, and under a subject's first one its follow-up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryotrail_producers.replay.case import Case
from cryotrail_producers.replay.follow_up import visits
from cryotrail_schemas.events import (
    ActorRole,
    ComplicationKind,
    ComplicationReported,
    Enhancement,
    Event,
    FollowUpImagingPerformed,
    ImagingModality,
    Recist,
    Relation,
    ResponseAssessed,
    Structure,
    VitalStatus,
    VitalStatusUpdated,
)

AFTER_END_S = 4 * 60 * 60
WOUND_DAY = 7


def after_care(case: Case) -> Iterator[Event]:
    """Complications, then the follow-up of the subject, in order of time within each.

    A subject has one clock, from its first treatment: all visits and the vital status stand under
    its first procedure and lesion, and a second treatment has none of its own.
    """
    if case.row.complication is not None:
        yield _complication(case, case.row.complication)
    if case.row.procedure_no == 1:
        yield from _visits(case)
        yield _vital_status(case)


def _complication(case: Case, kind: ComplicationKind) -> ComplicationReported:
    """Reported without grade, onset or duration: none is printed."""
    detail = case.row.complication_detail
    femoral = kind is ComplicationKind.NERVE_PALSY and "femoral" in (detail or "").casefold()
    return ComplicationReported(
        header=case.headers.make(
            ComplicationReported, _reported_at(case, kind), ActorRole.OPERATOR
        ),
        complication_id=case.headers.complication_id,
        kind=kind,
        structure=Structure.FEMORAL_NERVE if femoral else Structure.UNKNOWN,
        relation=Relation.UNKNOWN,
        gradings=(),
        detail_text=detail,
    )


def _reported_at(case: Case, kind: ComplicationKind) -> datetime:
    if kind is ComplicationKind.WOUND_COMPLICATION:
        return case.days_after(WOUND_DAY)
    return case.at(case.plan.duration_s + AFTER_END_S)


def _visits(case: Case) -> Iterator[Event]:
    """MRI with its assessment. No lesion regrew inside its ablation zone, so each is controlled.

    Enhancement stays UNKNOWN: it is not printed per visit, and one controlled lesion is shown with
    an enhancing rim.
    """
    row = case.row
    for month, day in visits(row.treated_on, row.last_contact_on, row.died):
        imaging = FollowUpImagingPerformed(
            header=case.headers.make(
                FollowUpImagingPerformed, case.on(day), ActorRole.RADIOGRAPHER
            ),
            modality=ImagingModality.MRI,
            gadolinium=True,
            planned_month=month,
        )
        yield imaging
        yield ResponseAssessed(
            header=case.headers.make(ResponseAssessed, case.on(day), ActorRole.OPERATOR),
            imaging_event_id=imaging.header.event_id,
            focal_enlargement=False,
            enhancement=Enhancement.UNKNOWN,
            local_control=True,
            recist=Recist.UNKNOWN,
        )


def _vital_status(case: Case) -> VitalStatusUpdated:
    row = case.row
    return VitalStatusUpdated(
        header=case.headers.make(
            VitalStatusUpdated, case.on(row.last_contact_on), ActorRole.DATA_MANAGER
        ),
        vital_status=VitalStatus.DEAD if row.died else VitalStatus.ALIVE,
        disease_status=row.outcome,
        last_contact_on=row.last_contact_on,
    )
