"""Events of referral and preparation.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from cryotrail_schemas.events.base import Event
from cryotrail_schemas.events.enums import (
    AnaesthesiaKind,
    Analyte,
    BoneMatrix,
    ChecklistPhase,
    ConsentForm,
    Decision,
    Histology,
    Intent,
    Interpretation,
    LesionOrigin,
    MedicationKind,
    Sex,
    Side,
    Site,
    Structure,
    Tissue,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnaesthesiaGiven(Event):
    """Anaesthesia was given; the publication says local anaesthesia. Source: printed in Susa
    2016; the rest from the literature.

    - ``kind``: Kind of anaesthesia. Source: printed in Susa 2016; the rest from the literature.
    - ``probe_id``: Probe whose tract was anaesthetised, for LOCAL_TRACT. Source: literature.
    - ``volume_ml``: Volume given. Unit: mL (UCUM). Source: literature.
    - ``agent_text``: Free text: the agent, a product name. Source: literature.
    """

    TYPE: ClassVar[str] = "AnaesthesiaGiven"

    kind: AnaesthesiaKind
    probe_id: str | None = None
    volume_ml: float | None = None
    agent_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecisionRecorded(Event):
    """The multidisciplinary board decided on the case. Source: literature.

    - ``decision``: What was decided. Source: literature.
    - ``intent``: What the treatment aims at. Source: literature.
    - ``reason_text``: Free text: the reason, no names, numbers or dates of a person. Source:
        literature.
    """

    TYPE: ClassVar[str] = "CaseDecisionRecorded"

    decision: Decision
    intent: Intent
    reason_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistCompleted(Event):
    """A part of the safety checklist was completed. Source: literature.

    - ``phase``: Part of the checklist. Source: literature.
    - ``checklist_id``: Which checklist, e.g. cirse-2012. Source: literature.
    - ``item_count``: Number of items of this part. Source: cryotrail's own choice.
    - ``open_item_count``: Number of items that stayed open. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "ChecklistCompleted"

    phase: ChecklistPhase
    checklist_id: str | None = None
    item_count: int | None = None
    open_item_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentObtained(Event):
    """Consent to the procedure was obtained. Source: printed in Susa 2016.

    - ``form``: Form of the consent. Source: printed in Susa 2016.
    - ``covers_research``: Whether it covers research use. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "ConsentObtained"

    form: ConsentForm
    covers_research: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbolizationPerformed(Event):
    """The tumour's feeding vessels were embolized before the ablation. Source: printed in Susa
    2016.

    - ``successful``: Whether the embolization reached its aim. Source: literature.
    - ``agent_text``: Free text: the embolic agent, a product name. Source: literature.
    - ``vessel_text``: Free text: the vessel. Source: literature.
    """

    TYPE: ClassVar[str] = "EmbolizationPerformed"

    successful: bool | None = None
    agent_text: str | None = None
    vessel_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResultRecorded(Event):
    """A laboratory result was at hand; occurred_at is when it was resulted. Source: printed in
    Susa 2016.

    - ``analyte``: What was measured. Source: printed in Susa 2016.
    - ``value``: Measured number, in the unit that unit_ucum names; the publication prints none.
        Source: literature.
    - ``unit_ucum``: UCUM code of the unit, required with value: INR 1, PLATELETS and LEUKOCYTES
        10*9/L, APTT s, HAEMOGLOBIN g/L, CRP mg/L, CREATININE umol/L. Source: cryotrail's own
        choice.
    - ``interpretation``: The laboratory's own reading. Source: literature.
    - ``collected_at``: When the sample was taken, UTC. Source: literature.
    """

    TYPE: ClassVar[str] = "LabResultRecorded"

    analyte: Analyte
    value: float | None = None
    unit_ucum: str | None = None
    interpretation: Interpretation
    collected_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionAdded(Event):
    """A further lesion was added to the same procedure; the header's lesion_id names it. Source:
    literature.

    - ``histology``: Histological type of the lesion. Source: printed in Susa 2016.
    - ``origin``: Recurrence, metastasis or primary tumour. Source: printed in Susa 2016.
    - ``tissue``: Bone or soft tissue. Source: printed in Susa 2016.
    - ``site``: Anatomical site of the lesion. Source: printed in Susa 2016.
    - ``side``: Side of the body. Source: literature.
    - ``tumour_size_mm``: Longest diameter of the lesion. Unit: mm (UCUM). Source: printed in Susa
        2016.
    - ``bone_matrix``: Matrix of a bone lesion. Source: printed in Susa 2016.
    - ``weight_bearing``: Whether the bone bears weight, as the operator judges it. Source: printed
        in Susa 2016.
    - ``skin_distance_mm``: Smallest distance from the lesion to the skin. Unit: mm (UCUM). Source:
        printed in Susa 2016.
    - ``nearest_structure``: Nearest structure at risk. Source: literature.
    - ``nearest_structure_distance_mm``: Distance from the lesion to that structure. Unit: mm
        (UCUM). Source: literature.
    - ``prior_irradiation``: Whether the lesion was irradiated before. Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "LesionAdded"

    histology: Histology
    origin: LesionOrigin
    tissue: Tissue
    site: Site
    side: Side
    tumour_size_mm: float | None = None
    bone_matrix: BoneMatrix
    weight_bearing: bool | None = None
    skin_distance_mm: float | None = None
    nearest_structure: Structure
    nearest_structure_distance_mm: float | None = None
    prior_irradiation: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationGiven(Event):
    """A medicine other than anaesthesia was given. Source: general knowledge, unconfirmed.

    - ``kind``: Class of the medicine. Source: general knowledge, unconfirmed.
    - ``agent_text``: Free text: the agent, a product name. Source: general knowledge, unconfirmed.
    """

    TYPE: ClassVar[str] = "MedicationGiven"

    kind: MedicationKind
    agent_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureScheduled(Event):
    """A cryoablation was scheduled, with its index lesion. Source: printed in Susa 2016.

    - ``procedure_label``: Human-readable pseudonym of the procedure such as CRYO-0001. Source:
        cryotrail's own choice.
    - ``protocol_id``: Treatment protocol that the procedure follows, e.g. seed-2016. Source:
        cryotrail's own choice.
    - ``protocol_version``: Version of that protocol. Source: cryotrail's own choice.
    - ``age_years``: Age of the subject at the first treatment, in completed years. Source: printed
        in Susa 2016.
    - ``sex``: Sex of the subject. Source: printed in Susa 2016.
    - ``ecog_grade``: ECOG performance status, 0 to 5. Source: literature.
    - ``intent``: What the treatment aims at. Source: literature.
    - ``scheduled_for``: Planned start, UTC. Source: cryotrail's own choice.
    - ``retreatment_of_procedure_id``: Earlier procedure of the same subject whose treatment is
        repeated. Source: printed in Susa 2016.
    - ``histology``: Histological type of the lesion. Source: printed in Susa 2016.
    - ``origin``: Recurrence, metastasis or primary tumour. Source: printed in Susa 2016.
    - ``tissue``: Bone or soft tissue. Source: printed in Susa 2016.
    - ``site``: Anatomical site of the lesion. Source: printed in Susa 2016.
    - ``side``: Side of the body. Source: literature.
    - ``tumour_size_mm``: Longest diameter of the lesion. Unit: mm (UCUM). Source: printed in Susa
        2016.
    - ``bone_matrix``: Matrix of a bone lesion. Source: printed in Susa 2016.
    - ``weight_bearing``: Whether the bone bears weight, as the operator judges it. Source: printed
        in Susa 2016.
    - ``skin_distance_mm``: Smallest distance from the lesion to the skin. Unit: mm (UCUM). Source:
        printed in Susa 2016.
    - ``nearest_structure``: Nearest structure at risk. Source: literature.
    - ``nearest_structure_distance_mm``: Distance from the lesion to that structure. Unit: mm
        (UCUM). Source: literature.
    - ``prior_irradiation``: Whether the lesion was irradiated before. Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "ProcedureScheduled"

    procedure_label: str
    protocol_id: str
    protocol_version: str | None = None
    age_years: int | None = None
    sex: Sex
    ecog_grade: int | None = None
    intent: Intent
    scheduled_for: datetime | None = None
    retreatment_of_procedure_id: UUID | None = None
    histology: Histology
    origin: LesionOrigin
    tissue: Tissue
    site: Site
    side: Side
    tumour_size_mm: float | None = None
    bone_matrix: BoneMatrix
    weight_bearing: bool | None = None
    skin_distance_mm: float | None = None
    nearest_structure: Structure
    nearest_structure_distance_mm: float | None = None
    prior_irradiation: bool | None = None
