"""Events of the end, complications and outcome.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from cryotrail_schemas.events.base import Event
from cryotrail_schemas.events.enums import (
    ComplicationKind,
    Destination,
    DiseaseStatus,
    EndStatus,
    Enhancement,
    ImagingModality,
    Recist,
    RecurrenceLocation,
    Relation,
    ResolutionOutcome,
    Structure,
    VitalStatus,
)
from cryotrail_schemas.events.records import Grading


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplicationRegraded(Event):
    """A complication was graded again. Source: literature.

    - ``complication_id``: Complication concerned. Source: cryotrail's own choice.
    - ``grading``: The new grade. Source: literature.
    - ``reason_text``: Free text: the reason. Source: literature.
    """

    TYPE: ClassVar[str] = "ComplicationRegraded"

    complication_id: UUID
    grading: Grading
    reason_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplicationReported(Event):
    """A complication was reported; the gradings are from the literature, the publication prints
    none. Source: printed in Susa 2016; the rest from the literature.

    - ``complication_id``: Identity of the complication, which later events name. Source:
        cryotrail's own choice.
    - ``kind``: Kind of complication. Source: printed in Susa 2016; the rest from the literature.
    - ``onset_at``: When it began, UTC. Source: literature.
    - ``structure``: Structure concerned. Source: printed in Susa 2016; the rest from the
        literature.
    - ``relation``: Judged relation to the procedure. Source: literature.
    - ``gradings``: Grades on one or more scales; empty: not graded. Source: literature.
    - ``detail_text``: Free text: detail. Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "ComplicationReported"

    complication_id: UUID
    kind: ComplicationKind
    onset_at: datetime | None = None
    structure: Structure
    relation: Relation
    gradings: tuple[Grading, ...] = ()
    detail_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplicationResolved(Event):
    """A complication ended. Source: printed in Susa 2016; the rest from the literature.

    - ``complication_id``: Complication concerned. Source: cryotrail's own choice.
    - ``outcome``: How it ended. Source: printed in Susa 2016; the rest from the literature.
    """

    TYPE: ClassVar[str] = "ComplicationResolved"

    complication_id: UUID
    outcome: ResolutionOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpImagingPerformed(Event):
    """Follow-up imaging was performed. Source: printed in Susa 2016.

    - ``modality``: Imaging method. Source: printed in Susa 2016.
    - ``gadolinium``: Whether gadolinium contrast was given. Source: printed in Susa 2016.
    - ``planned_month``: Month of the visit plan that it serves: 1, 3, 6 or 12. Source: printed in
        Susa 2016.
    - ``series_uid``: DICOM Series Instance UID. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "FollowUpImagingPerformed"

    modality: ImagingModality
    gadolinium: bool | None = None
    planned_month: int | None = None
    series_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDischarged(Event):
    """The patient was discharged. Source: printed in Susa 2016.

    - ``destination``: Where the patient went. Source: literature.
    - ``delay_reason_text``: Free text: why discharge was later than planned. Source: cryotrail's
        own choice.
    """

    TYPE: ClassVar[str] = "PatientDischarged"

    destination: Destination
    delay_reason_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureEnded(Event):
    """The procedure ended. Procedure length counts from ProcedureStarted to here. Source:
    printed in Susa 2016; the definition is cryotrail's own choice.

    - ``status``: Completed or aborted. Source: cryotrail's own choice.
    - ``abort_reason_text``: Free text: why it was aborted. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "ProcedureEnded"

    status: EndStatus
    abort_reason_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceDetected(Event):
    """A recurrence was detected. Source: printed in Susa 2016.

    - ``location``: Where it lies relative to the ablation zone. Source: printed in Susa 2016.
    - ``new_lesion_id``: Identity of the new lesion. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "RecurrenceDetected"

    location: RecurrenceLocation
    new_lesion_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAssessed(Event):
    """Local response was assessed on imaging. Source: printed in Susa 2016.

    - ``imaging_event_id``: FollowUpImagingPerformed event on which it was assessed. Source:
        cryotrail's own choice.
    - ``focal_enlargement``: Whether the lesion grew focally. Source: printed in Susa 2016.
    - ``enhancement``: Contrast enhancement. Source: printed in Susa 2016.
    - ``local_control``: Local control: no focal growth and no enhancement of the lesion. Source:
        printed in Susa 2016.
    - ``recist``: Category of RECIST 1.1. Source: printed in Susa 2016.
    - ``longest_diameter_mm``: Longest diameter of the lesion. Unit: mm (UCUM). Source: literature.
    """

    TYPE: ClassVar[str] = "ResponseAssessed"

    imaging_event_id: UUID | None = None
    focal_enlargement: bool | None = None
    enhancement: Enhancement
    local_control: bool | None = None
    recist: Recist
    longest_diameter_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalSuccessAssessed(Event):
    """It was judged whether the tumour was treated per protocol and covered at the end. Source:
    literature.

    - ``successful``: The judgement. Source: literature.
    """

    TYPE: ClassVar[str] = "TechnicalSuccessAssessed"

    successful: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalStatusUpdated(Event):
    """The vital and disease status of the subject became known. Source: printed in Susa 2016.

    - ``vital_status``: Whether the subject lives. Source: printed in Susa 2016.
    - ``disease_status``: Disease status. Source: printed in Susa 2016.
    - ``last_contact_on``: Calendar day of last contact at the site; the day of death when DEAD.
        Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "VitalStatusUpdated"

    vital_status: VitalStatus
    disease_status: DiseaseStatus
    last_contact_on: date
