"""Code lists. UNKNOWN is the default of each.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from enum import StrEnum


class ActorRole(StrEnum):
    """Role of whoever caused the event; a role, never a person, so that no figure ranks named
    operators. UNKNOWN: not said, or a symbol newer than the reader. Source: cryotrail's own
    choice.
    """

    UNKNOWN = "UNKNOWN"
    OPERATOR = "OPERATOR"
    ASSISTANT = "ASSISTANT"
    ANAESTHETIST = "ANAESTHETIST"
    NURSE = "NURSE"
    RADIOGRAPHER = "RADIOGRAPHER"
    NEUROPHYSIOLOGIST = "NEUROPHYSIOLOGIST"
    REFERRER = "REFERRER"
    DATA_MANAGER = "DATA_MANAGER"
    QUALITY_OFFICER = "QUALITY_OFFICER"
    DEVICE = "DEVICE"
    SYSTEM = "SYSTEM"


class AlarmSeverity(StrEnum):
    """Severity of a device alarm as the device states it. UNKNOWN: not said, or a symbol newer
    than the reader. Source: general knowledge, unconfirmed.
    """

    UNKNOWN = "UNKNOWN"
    INFORMATION = "INFORMATION"
    WARNING = "WARNING"
    FAULT = "FAULT"


class AnaesthesiaKind(StrEnum):
    """Kind of anaesthesia. LOCAL_TRACT: local, along a probe's tract. TIVA: total intravenous
    anaesthesia, used with motor evoked potentials. UNKNOWN: not said, or a symbol newer than the
    reader. Printed in Susa 2016: LOCAL. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    LOCAL = "LOCAL"
    LOCAL_TRACT = "LOCAL_TRACT"
    SEDATION = "SEDATION"
    REGIONAL = "REGIONAL"
    GENERAL = "GENERAL"
    TIVA = "TIVA"


class Analyte(StrEnum):
    """What the laboratory measured. COAGULATION_SCREEN and INFECTION_SCREEN are results without
    a number of their own. UNKNOWN: not said, or a symbol newer than the reader. Printed in Susa
    2016: COAGULATION_SCREEN, INFECTION_SCREEN. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    INR = "INR"
    PLATELETS = "PLATELETS"
    APTT = "APTT"
    HAEMOGLOBIN = "HAEMOGLOBIN"
    LEUKOCYTES = "LEUKOCYTES"
    CRP = "CRP"
    CREATININE = "CREATININE"
    COAGULATION_SCREEN = "COAGULATION_SCREEN"
    INFECTION_SCREEN = "INFECTION_SCREEN"
    OTHER = "OTHER"


class BoneMatrix(StrEnum):
    """Matrix of a bone lesion; an osteoblastic (BLASTIC) one was an exclusion of the published
    series. LYTIC_OR_MIXED is all that the publication says. UNKNOWN: not said, or a symbol newer
    than the reader. Printed in Susa 2016: LYTIC_OR_MIXED. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    LYTIC = "LYTIC"
    MIXED = "MIXED"
    LYTIC_OR_MIXED = "LYTIC_OR_MIXED"
    BLASTIC = "BLASTIC"
    NOT_BONE = "NOT_BONE"


class Channel(StrEnum):
    """Measured quantity of a telemetry chunk; the unit is in the symbol: Cel (degree Celsius) or
    % of full flow. UNKNOWN: not said, or a symbol newer than the reader. Source: cryotrail's own
    choice.
    """

    UNKNOWN = "UNKNOWN"
    TIP_TEMPERATURE_CEL = "TIP_TEMPERATURE_CEL"
    SENSOR_TEMPERATURE_CEL = "SENSOR_TEMPERATURE_CEL"
    FLOW_PCT = "FLOW_PCT"


class ChecklistPhase(StrEnum):
    """Part of the safety checklist. UNKNOWN: not said, or a symbol newer than the reader.
    Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    PLANNING = "PLANNING"
    SIGN_IN = "SIGN_IN"
    TIME_OUT = "TIME_OUT"
    SIGN_OUT = "SIGN_OUT"


class ComplicationKind(StrEnum):
    """Kind of complication. UNKNOWN: not said, or a symbol newer than the reader. Printed in
    Susa 2016: URINARY_RETENTION, NERVE_PALSY, WOUND_COMPLICATION. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    URINARY_RETENTION = "URINARY_RETENTION"
    NERVE_PALSY = "NERVE_PALSY"
    WOUND_COMPLICATION = "WOUND_COMPLICATION"
    HAEMORRHAGE = "HAEMORRHAGE"
    INFECTION = "INFECTION"
    FRACTURE = "FRACTURE"
    FROSTBITE = "FROSTBITE"
    PAIN = "PAIN"
    PARESTHESIA = "PARESTHESIA"
    HYPOTENSION = "HYPOTENSION"
    TRACT_SEEDING = "TRACT_SEEDING"
    FEVER = "FEVER"
    EMESIS = "EMESIS"
    OTHER = "OTHER"


class ConsentForm(StrEnum):
    """Form in which consent was given. UNKNOWN: not said, or a symbol newer than the reader.
    Printed in Susa 2016: WRITTEN. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    WRITTEN = "WRITTEN"
    ORAL = "ORAL"
    PROXY = "PROXY"


class CorrectionReason(StrEnum):
    """Why an event is corrected. UNKNOWN: not said, or a symbol newer than the reader. Source:
    cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    WRONG_SUBJECT = "WRONG_SUBJECT"
    WRONG_PROCEDURE = "WRONG_PROCEDURE"
    WRONG_TIME = "WRONG_TIME"
    DUPLICATE = "DUPLICATE"
    TEST_DATA = "TEST_DATA"
    OTHER = "OTHER"


class CtPhase(StrEnum):
    """Purpose of a CT acquisition within the procedure. UNKNOWN: not said, or a symbol newer
    than the reader. Printed in Susa 2016: MONITORING. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    PLANNING = "PLANNING"
    TARGETING = "TARGETING"
    MONITORING = "MONITORING"
    SURVEY = "SURVEY"


class DataOrigin(StrEnum):
    """What every page must say about the row. LIVE: as it happened. BACKFILL: entered afterwards
    from real records. RECONSTRUCTED: made to meet published aggregates, no real person stands
    behind it. SYNTHETIC: made up. UNKNOWN: not said, or a symbol newer than the reader. Source:
    cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    LIVE = "LIVE"
    BACKFILL = "BACKFILL"
    RECONSTRUCTED = "RECONSTRUCTED"
    SYNTHETIC = "SYNTHETIC"


class Decision(StrEnum):
    """Decision of the multidisciplinary board. UNKNOWN: not said, or a symbol newer than the
    reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    APPROVED = "APPROVED"
    DEFERRED = "DEFERRED"
    DECLINED = "DECLINED"


class Destination(StrEnum):
    """Where the patient went on discharge. UNKNOWN: not said, or a symbol newer than the reader.
    Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    HOME = "HOME"
    OTHER_WARD = "OTHER_WARD"
    OTHER_HOSPITAL = "OTHER_HOSPITAL"
    REHABILITATION = "REHABILITATION"
    DIED = "DIED"


class DiseaseStatus(StrEnum):
    """Disease status of the subject: no evidence of disease (NED), alive with disease (AWD),
    died of disease (DOD). UNKNOWN: not said, or a symbol newer than the reader. Printed in Susa
    2016: NED, AWD, DOD. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    NED = "NED"
    AWD = "AWD"
    DOD = "DOD"
    DEAD_OTHER_CAUSE = "DEAD_OTHER_CAUSE"


class DisplacementMedium(StrEnum):
    """What was used to move a structure out of the ablation zone. UNKNOWN: not said, or a symbol
    newer than the reader. Printed in Susa 2016: AIR. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    AIR = "AIR"
    CARBON_DIOXIDE = "CARBON_DIOXIDE"
    SALINE = "SALINE"
    CONTRAST_FLUID = "CONTRAST_FLUID"
    BALLOON = "BALLOON"
    OTHER = "OTHER"


class EndStatus(StrEnum):
    """How the procedure ended. UNKNOWN: not said, or a symbol newer than the reader. Source:
    cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"


class Enhancement(StrEnum):
    """Contrast enhancement of the ablation zone. RIM: a thin rim, which does not break local
    control. LESIONAL: within the lesion. UNKNOWN: not said, or a symbol newer than the reader.
    Printed in Susa 2016: NONE, RIM. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    NONE = "NONE"
    RIM = "RIM"
    LESIONAL = "LESIONAL"


class GapReason(StrEnum):
    """Why samples or events are missing. SHED: dropped under load by the outbox, which says so.
    UNKNOWN: not said, or a symbol newer than the reader. Source: cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    SHED = "SHED"
    DEVICE_DISCONNECTED = "DEVICE_DISCONNECTED"
    SENSOR_FAULT = "SENSOR_FAULT"


class Gas(StrEnum):
    """What the console cools and warms with: freezing medium, then warming medium where there is
    one. UNKNOWN: not said, or a symbol newer than the reader. Printed in Susa 2016:
    ARGON_HELIUM. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    ARGON_HELIUM = "ARGON_HELIUM"
    ARGON_ELECTRIC = "ARGON_ELECTRIC"
    LIQUID_NITROGEN = "LIQUID_NITROGEN"
    OTHER = "OTHER"


class GradingScale(StrEnum):
    """Scale on which a complication is graded; grades of different scales are never converted
    into each other. UNKNOWN: not said, or a symbol newer than the reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    SIR_2003 = "SIR_2003"
    SIR_2017 = "SIR_2017"
    CIRSE_2017 = "CIRSE_2017"
    CIRSE_2025 = "CIRSE_2025"
    CTCAE_5 = "CTCAE_5"
    CTCAE_6 = "CTCAE_6"
    CLAVIEN_DINDO = "CLAVIEN_DINDO"


class Histology(StrEnum):
    """Histological type of the tumour. UNKNOWN: not said, or a symbol newer than the reader.
    Printed in Susa 2016: RENAL_CELL_CARCINOMA, HEPATOCELLULAR_CARCINOMA, THYROID_CARCINOMA,
    DEDIFFERENTIATED_LIPOSARCOMA, MYXOFIBROSARCOMA, CHORDOMA. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    RENAL_CELL_CARCINOMA = "RENAL_CELL_CARCINOMA"
    HEPATOCELLULAR_CARCINOMA = "HEPATOCELLULAR_CARCINOMA"
    THYROID_CARCINOMA = "THYROID_CARCINOMA"
    DEDIFFERENTIATED_LIPOSARCOMA = "DEDIFFERENTIATED_LIPOSARCOMA"
    MYXOFIBROSARCOMA = "MYXOFIBROSARCOMA"
    CHORDOMA = "CHORDOMA"
    DESMOID = "DESMOID"
    OTHER_SARCOMA = "OTHER_SARCOMA"
    OTHER_CARCINOMA = "OTHER_CARCINOMA"
    OTHER = "OTHER"


class ImagingModality(StrEnum):
    """Imaging method of a follow-up visit. UNKNOWN: not said, or a symbol newer than the reader.
    Printed in Susa 2016: MRI. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    MRI = "MRI"
    CT = "CT"
    PET_CT = "PET_CT"
    ULTRASOUND = "ULTRASOUND"


class Intent(StrEnum):
    """What the treatment aims at. UNKNOWN: not said, or a symbol newer than the reader. Source:
    literature.
    """

    UNKNOWN = "UNKNOWN"
    CURATIVE = "CURATIVE"
    PALLIATIVE = "PALLIATIVE"
    LOCAL_CONTROL = "LOCAL_CONTROL"


class Interpretation(StrEnum):
    """The laboratory's own reading of the result. UNKNOWN: not said, or a symbol newer than the
    reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    NORMAL = "NORMAL"
    ABNORMAL = "ABNORMAL"
    CRITICAL = "CRITICAL"


class LesionOrigin(StrEnum):
    """Whether the lesion is a local recurrence, a metastasis or the primary tumour. UNKNOWN: not
    said, or a symbol newer than the reader. Printed in Susa 2016: RECURRENT, METASTATIC. The
    others: literature.
    """

    UNKNOWN = "UNKNOWN"
    RECURRENT = "RECURRENT"
    METASTATIC = "METASTATIC"
    PRIMARY = "PRIMARY"


class MedicationKind(StrEnum):
    """Class of the medicine. UNKNOWN: not said, or a symbol newer than the reader. Source:
    general knowledge, unconfirmed.
    """

    UNKNOWN = "UNKNOWN"
    ANTIBIOTIC = "ANTIBIOTIC"
    ANALGESIC = "ANALGESIC"
    ANTIEMETIC = "ANTIEMETIC"
    CONTRAST = "CONTRAST"
    OTHER = "OTHER"


class NeuroModality(StrEnum):
    """Method of intraoperative neuromonitoring: transcranial motor evoked potentials,
    somatosensory evoked potentials, electromyography. UNKNOWN: not said, or a symbol newer than
    the reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    TC_MEP = "TC_MEP"
    SSEP = "SSEP"
    EMG = "EMG"


class Position(StrEnum):
    """Position of the patient on the CT table. UNKNOWN: not said, or a symbol newer than the
    reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    SUPINE = "SUPINE"
    PRONE = "PRONE"
    LEFT_LATERAL = "LEFT_LATERAL"
    RIGHT_LATERAL = "RIGHT_LATERAL"
    OTHER = "OTHER"


class PositionOutcome(StrEnum):
    """Outcome of a check of a probe's position. UNKNOWN: not said, or a symbol newer than the
    reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    CONFIRMED = "CONFIRMED"
    REPOSITIONED = "REPOSITIONED"


class Recist(StrEnum):
    """Response category of RECIST 1.1: complete response, partial response, stable disease,
    progressive disease. UNKNOWN: not said, or a symbol newer than the reader. Source:
    literature.
    """

    UNKNOWN = "UNKNOWN"
    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NOT_EVALUABLE = "NOT_EVALUABLE"


class RecurrenceLocation(StrEnum):
    """Where a recurrence lies relative to the ablation zone. UNKNOWN: not said, or a symbol
    newer than the reader. Printed in Susa 2016: OUTSIDE_ZONE. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    INSIDE_ZONE = "INSIDE_ZONE"
    AT_EDGE = "AT_EDGE"
    OUTSIDE_ZONE = "OUTSIDE_ZONE"
    DISTANT = "DISTANT"


class Relation(StrEnum):
    """Judged relation of a complication to the procedure. UNKNOWN: not said, or a symbol newer
    than the reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    UNRELATED = "UNRELATED"
    UNLIKELY = "UNLIKELY"
    POSSIBLE = "POSSIBLE"
    PROBABLE = "PROBABLE"
    DEFINITE = "DEFINITE"


class ResolutionOutcome(StrEnum):
    """How a complication ended. UNKNOWN: not said, or a symbol newer than the reader. Source:
    literature.
    """

    UNKNOWN = "UNKNOWN"
    RESOLVED = "RESOLVED"
    RESOLVED_WITH_SEQUELAE = "RESOLVED_WITH_SEQUELAE"
    FATAL = "FATAL"


class ReviewMeaning(StrEnum):
    """What a reviewer states by the review. UNKNOWN: not said, or a symbol newer than the
    reader. Source: cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    REVIEWED = "REVIEWED"
    APPROVED = "APPROVED"
    QUERIED = "QUERIED"


class SampleQuality(StrEnum):
    """Quality of the samples of a chunk as their source states it. UNKNOWN: not said, or a
    symbol newer than the reader. Source: cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    GOOD = "GOOD"
    SUSPECT = "SUSPECT"
    SIMULATED = "SIMULATED"


class SensorLocation(StrEnum):
    """Where a separate temperature sensor lies. JUXTANEURAL: beside a nerve. UNKNOWN: not said,
    or a symbol newer than the reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    TUMOUR_EDGE = "TUMOUR_EDGE"
    JUXTANEURAL = "JUXTANEURAL"
    SKIN = "SKIN"
    BOWEL_WALL = "BOWEL_WALL"
    OTHER = "OTHER"


class Sex(StrEnum):
    """Sex of the subject. UNKNOWN: not said, or a symbol newer than the reader. Printed in Susa
    2016: MALE, FEMALE. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    MALE = "MALE"
    FEMALE = "FEMALE"
    OTHER = "OTHER"


class Side(StrEnum):
    """Side of the body. UNKNOWN: not said, or a symbol newer than the reader. Source:
    literature.
    """

    UNKNOWN = "UNKNOWN"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    MIDLINE = "MIDLINE"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Site(StrEnum):
    """Anatomical site of the lesion. UNKNOWN: not said, or a symbol newer than the reader.
    Printed in Susa 2016: ILIUM, SACRUM, RIB, RETROPERITONEUM, THIGH. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    ILIUM = "ILIUM"
    SACRUM = "SACRUM"
    RIB = "RIB"
    RETROPERITONEUM = "RETROPERITONEUM"
    THIGH = "THIGH"
    SPINE = "SPINE"
    PELVIS_OTHER = "PELVIS_OTHER"
    FEMUR = "FEMUR"
    HUMERUS = "HUMERUS"
    TIBIA = "TIBIA"
    OTHER_LONG_BONE = "OTHER_LONG_BONE"
    CHEST_WALL = "CHEST_WALL"
    SHOULDER = "SHOULDER"
    ARM = "ARM"
    LOWER_LEG = "LOWER_LEG"
    OTHER = "OTHER"


class SkinProtection(StrEnum):
    """How the skin was protected against the cold. UNKNOWN: not said, or a symbol newer than the
    reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    WARM_COMPRESS = "WARM_COMPRESS"
    SUBCUTANEOUS_FLUID = "SUBCUTANEOUS_FLUID"
    GAS = "GAS"
    OTHER = "OTHER"


class StopReason(StrEnum):
    """Why a freeze was stopped or its flow changed. UNKNOWN: not said, or a symbol newer than
    the reader. Printed in Susa 2016: MARGIN_REACHED, STRUCTURE_AT_RISK. The others: literature.
    """

    UNKNOWN = "UNKNOWN"
    PLANNED = "PLANNED"
    MARGIN_REACHED = "MARGIN_REACHED"
    STRUCTURE_AT_RISK = "STRUCTURE_AT_RISK"
    NERVE_ALARM = "NERVE_ALARM"
    PAIN = "PAIN"
    DEVICE_FAULT = "DEVICE_FAULT"
    OTHER = "OTHER"


class Structure(StrEnum):
    """Anatomical structure at risk near the ablation zone; NONE: there is none. UNKNOWN: not
    said, or a symbol newer than the reader. Printed in Susa 2016: BOWEL, FEMORAL_NERVE. The
    others: literature.
    """

    UNKNOWN = "UNKNOWN"
    PERIPHERAL_NERVE = "PERIPHERAL_NERVE"
    NERVE_ROOT = "NERVE_ROOT"
    SPINAL_CORD = "SPINAL_CORD"
    BOWEL = "BOWEL"
    BLADDER = "BLADDER"
    URETER = "URETER"
    VESSEL = "VESSEL"
    SKIN = "SKIN"
    JOINT = "JOINT"
    LUNG = "LUNG"
    FEMORAL_NERVE = "FEMORAL_NERVE"
    OTHER = "OTHER"
    NONE = "NONE"


class ThawMode(StrEnum):
    """How a probe is warmed: PASSIVE (gas off), by helium, or electrically. UNKNOWN: not said,
    or a symbol newer than the reader. Source: literature.
    """

    UNKNOWN = "UNKNOWN"
    PASSIVE = "PASSIVE"
    ACTIVE_HELIUM = "ACTIVE_HELIUM"
    ACTIVE_ELECTRIC = "ACTIVE_ELECTRIC"


class TimeBasis(StrEnum):
    """How occurred_at was obtained. DEVICE_SYNCED: a clock known to be synchronised.
    SITE_TZ_ASSUMED: a naive device time read in the site's zone. MANUAL: typed by a person.
    UNKNOWN: not said, or a symbol newer than the reader. Source: cryotrail's own choice.
    """

    UNKNOWN = "UNKNOWN"
    DEVICE_SYNCED = "DEVICE_SYNCED"
    SITE_TZ_ASSUMED = "SITE_TZ_ASSUMED"
    MANUAL = "MANUAL"


class Tissue(StrEnum):
    """Tissue that the lesion lies in; it decides the number of cycles of the protocol. UNKNOWN:
    not said, or a symbol newer than the reader. Printed in Susa 2016: BONE, SOFT_TISSUE.
    """

    UNKNOWN = "UNKNOWN"
    BONE = "BONE"
    SOFT_TISSUE = "SOFT_TISSUE"


class VitalStatus(StrEnum):
    """Whether the subject lives. UNKNOWN: not said, or a symbol newer than the reader. Source:
    literature.
    """

    UNKNOWN = "UNKNOWN"
    ALIVE = "ALIVE"
    DEAD = "DEAD"
    LOST_TO_FOLLOW_UP = "LOST_TO_FOLLOW_UP"
