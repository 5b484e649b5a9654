"""Events of access, imaging and protection.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from cryotrail_schemas.events.base import Event
from cryotrail_schemas.events.enums import (
    CtPhase,
    DisplacementMedium,
    Gas,
    NeuroModality,
    Position,
    SensorLocation,
    SkinProtection,
    Structure,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CtAcquired(Event):
    """A CT series was acquired; the publication says CT guidance, the phases are from the
    literature. Source: printed in Susa 2016; the rest from the literature.

    - ``phase``: Purpose of the acquisition. Source: printed in Susa 2016; the rest from the
        literature.
    - ``cycle_no``: Freeze-thaw cycle during which it was acquired, from 1. Refused below 1. Source:
        literature.
    - ``dlp_mgycm``: Dose-length product of the acquisition. Unit: mGy.cm (UCUM). Source:
        literature.
    - ``ctdi_vol_mgy``: Volume CT dose index of the acquisition. Unit: mGy (UCUM). Source:
        literature.
    - ``series_uid``: DICOM Series Instance UID. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "CtAcquired"

    phase: CtPhase
    cycle_no: int | None = None
    dlp_mgycm: Decimal | None = None
    ctdi_vol_mgy: Decimal | None = None
    series_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplacementPerformed(Event):
    """A structure was moved away from the ablation zone; the publication says by air. Source:
    printed in Susa 2016; the rest from the literature.

    - ``medium``: What it was moved with. Source: printed in Susa 2016; the rest from the
        literature.
    - ``structure``: Structure that was moved. Source: printed in Susa 2016; the rest from the
        literature.
    - ``successful``: Whether the structure left the zone at risk. Source: printed in Susa 2016; the
        rest from the literature.
    - ``volume_ml``: Volume of the medium. Unit: mL (UCUM). Source: literature.
    - ``distance_before_mm``: Distance from lesion to structure before. Unit: mm (UCUM). Source:
        literature.
    - ``distance_after_mm``: Distance from lesion to structure after. Unit: mm (UCUM). Source:
        literature.
    """

    TYPE: ClassVar[str] = "DisplacementPerformed"

    medium: DisplacementMedium
    structure: Structure
    successful: bool
    volume_ml: float | None = None
    distance_before_mm: float | None = None
    distance_after_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuromonitoringRecorded(Event):
    """A reading of intraoperative neuromonitoring. Source: literature.

    - ``modality``: Method. Source: literature.
    - ``baseline``: Whether this reading is the baseline. Source: literature.
    - ``alarm``: Whether the monitoring raised an alarm. Source: literature.
    - ``threshold_rise_v``: Rise of the stimulation threshold above baseline (TC_MEP). Unit: V
        (UCUM). Source: literature.
    - ``amplitude_fall_pct``: Fall of the amplitude below baseline (SSEP). Unit: % (UCUM). Source:
        literature.
    - ``latency_rise_pct``: Rise of the latency above baseline (SSEP). Unit: % (UCUM). Source:
        literature.
    """

    TYPE: ClassVar[str] = "NeuromonitoringRecorded"

    modality: NeuroModality
    baseline: bool
    alarm: bool
    threshold_rise_v: float | None = None
    amplitude_fall_pct: float | None = None
    latency_rise_pct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStarted(Event):
    """The procedure started with the first skin puncture: tract anaesthesia needle or probe,
    whichever comes first. Procedure length counts from here to ProcedureEnded. Source: printed
    in Susa 2016; the definition is cryotrail's own choice.

    - ``patient_position``: Position of the patient. Source: literature.
    - ``gas``: What the console cools and warms with. Source: printed in Susa 2016.
    - ``console_model_text``: Free text: model of the console. Source: printed in Susa 2016.
    - ``planned_probe_count``: Number of probes planned. Source: literature.
    """

    TYPE: ClassVar[str] = "ProcedureStarted"

    patient_position: Position
    gas: Gas
    console_model_text: str | None = None
    planned_probe_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkinProtectionApplied(Event):
    """The skin was protected against the cold. Source: literature.

    - ``method``: How it was protected. Source: literature.
    - ``volume_ml``: Volume of fluid or gas. Unit: mL (UCUM). Source: literature.
    """

    TYPE: ClassVar[str] = "SkinProtectionApplied"

    method: SkinProtection
    volume_ml: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermosensorPlaced(Event):
    """A separate temperature sensor was placed. Source: literature.

    - ``sensor_id``: Sensor, unique within the procedure. Source: literature.
    - ``location``: Where it lies. Source: literature.
    - ``distance_to_structure_mm``: Distance from the sensor to the structure that it guards. Unit:
        mm (UCUM). Source: literature.
    """

    TYPE: ClassVar[str] = "ThermosensorPlaced"

    sensor_id: str
    location: SensorLocation
    distance_to_structure_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrajectoryPlanned(Event):
    """The path of a probe was planned. Source: general knowledge, unconfirmed.

    - ``probe_id``: Probe, unique within the procedure. Source: general knowledge, unconfirmed.
    - ``depth_mm``: Planned depth from the skin to the tip. Unit: mm (UCUM). Source: general
        knowledge, unconfirmed.
    - ``angle_deg``: Planned angle of the path against the vertical. Unit: deg (UCUM). Source:
        general knowledge, unconfirmed.
    - ``skin_marker_used``: Whether a marker on the skin was used. Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "TrajectoryPlanned"

    probe_id: str
    depth_mm: float | None = None
    angle_deg: float | None = None
    skin_marker_used: bool | None = None
