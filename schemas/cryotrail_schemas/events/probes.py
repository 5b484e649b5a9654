"""Events of probes, freeze-thaw cycles and ice.

Generated from the .avsc files by schemas/generate_events.py: edit those, not this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from cryotrail_schemas.events.base import Event
from cryotrail_schemas.events.enums import AlarmSeverity, PositionOutcome, StopReason, ThawMode


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAlarmRaised(Event):
    """The console or another device raised an alarm. Source: general knowledge, unconfirmed.

    - ``severity``: Severity as the device states it. Source: general knowledge, unconfirmed.
    - ``probe_id``: Probe concerned, if one. Source: general knowledge, unconfirmed.
    - ``alarm_text``: Free text: the alarm as the device words it. Source: general knowledge,
        unconfirmed.
    """

    TYPE: ClassVar[str] = "DeviceAlarmRaised"

    severity: AlarmSeverity
    probe_id: str | None = None
    alarm_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChanged(Event):
    """The gas flow of a freezing probe was changed. Source: literature.

    - ``probe_id``: Probe, unique within the procedure. Source: literature.
    - ``flow_pct``: New gas flow, of the console's full flow. Unit: % (UCUM). Source: literature.
    - ``reason``: Why it was changed. Source: literature.
    """

    TYPE: ClassVar[str] = "FlowChanged"

    probe_id: str
    flow_pct: float
    reason: StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeStarted(Event):
    """A probe started to freeze. Source: printed in Susa 2016.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``cycle_no``: Freeze-thaw cycle of this probe, from 1. Refused below 1. Source: printed in
        Susa 2016.
    - ``flow_pct``: Gas flow set, of the console's full flow. Unit: % (UCUM). Source: literature.
    """

    TYPE: ClassVar[str] = "FreezeStarted"

    probe_id: str
    cycle_no: int
    flow_pct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeStopped(Event):
    """A probe stopped freezing. Source: printed in Susa 2016.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``cycle_no``: Freeze-thaw cycle of this probe, from 1. Refused below 1. Source: printed in
        Susa 2016.
    - ``stop_reason``: Why it was stopped. Source: printed in Susa 2016; the rest from the
        literature.
    - ``tip_min_cel``: Lowest tip temperature of this freeze, where the probe measures one. Unit:
        Cel (UCUM). Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "FreezeStopped"

    probe_id: str
    cycle_no: int
    stop_reason: StopReason
    tip_min_cel: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HaemostasisApplied(Event):
    """A haemostatic was applied to a bleeding tract. Source: printed in Susa 2016.

    - ``probe_id``: Probe whose tract it was; null: not one tract. Source: printed in Susa 2016.
    - ``agent_text``: Free text: the agent, a product name. Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "HaemostasisApplied"

    probe_id: str | None = None
    agent_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IceBallChecked(Event):
    """The ice ball was checked on CT. A margin is the ice beyond the tumour's edge in one
    direction: negative = the tumour is not covered there, null = not measured. Source: printed
    in Susa 2016.

    - ``cycle_no``: Freeze-thaw cycle of the procedure, from 1. Refused below 1. Source: printed in
        Susa 2016.
    - ``covers_tumour``: Whether the ice covers the whole tumour. Source: printed in Susa 2016.
    - ``margin_cranial_mm``: Margin towards the head. Unit: mm (UCUM). Source: printed in Susa 2016.
    - ``margin_caudal_mm``: Margin towards the feet. Unit: mm (UCUM). Source: printed in Susa 2016.
    - ``margin_anterior_mm``: Margin towards the front. Unit: mm (UCUM). Source: printed in Susa
        2016.
    - ``margin_posterior_mm``: Margin towards the back. Unit: mm (UCUM). Source: printed in Susa
        2016.
    - ``margin_medial_mm``: Margin towards the midline. Unit: mm (UCUM). Source: printed in Susa
        2016.
    - ``margin_lateral_mm``: Margin away from the midline. Unit: mm (UCUM). Source: printed in Susa
        2016.
    - ``long_axis_mm``: Longest axis of the ice ball. Unit: mm (UCUM). Source: literature.
    - ``short_axis_mm``: Shortest axis of the ice ball. Unit: mm (UCUM). Source: literature.
    - ``low_density_seen``: Whether the ice is seen as a low-density area. Source: printed in Susa
        2016.
    - ``ct_event_id``: CtAcquired event on which it was checked. Source: cryotrail's own choice.
    """

    TYPE: ClassVar[str] = "IceBallChecked"

    cycle_no: int
    covers_tumour: bool | None = None
    margin_cranial_mm: float | None = None
    margin_caudal_mm: float | None = None
    margin_anterior_mm: float | None = None
    margin_posterior_mm: float | None = None
    margin_medial_mm: float | None = None
    margin_lateral_mm: float | None = None
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None
    low_density_seen: bool | None = None
    ct_event_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnchored(Event):
    """A short freeze holds the probe in place ("stick"); it is not a cycle. Source: literature.

    - ``probe_id``: Probe, unique within the procedure. Source: literature.
    """

    TYPE: ClassVar[str] = "ProbeAnchored"

    probe_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeInserted(Event):
    """A cryoprobe was inserted. Source: printed in Susa 2016.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``probe_no``: Number of the probe in the procedure, from 1. Refused below 1. Source: printed
        in Susa 2016.
    - ``probe_model_text``: Free text: model of the probe. Source: literature.
    - ``gauge``: Needle gauge (a number without unit; larger is thinner). Source: literature.
    - ``diameter_mm``: Outer diameter of the shaft. Unit: mm (UCUM). Source: literature.
    - ``depth_mm``: Depth from the skin to the tip. Unit: mm (UCUM). Source: literature.
    - ``angle_deg``: Angle of the path against the vertical. Unit: deg (UCUM). Source: literature.
    - ``entry_site_text``: Free text: where it entered the skin. Source: literature.
    - ``leak_tested``: Whether the probe was tested for leaks. Source: general knowledge,
        unconfirmed.
    """

    TYPE: ClassVar[str] = "ProbeInserted"

    probe_id: str
    probe_no: int
    probe_model_text: str | None = None
    gauge: int | None = None
    diameter_mm: float | None = None
    depth_mm: float | None = None
    angle_deg: float | None = None
    entry_site_text: str | None = None
    leak_tested: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePositionChecked(Event):
    """The position of a probe was checked on imaging. Source: literature.

    - ``probe_id``: Probe, unique within the procedure. Source: literature.
    - ``outcome``: Confirmed, or repositioned. Source: literature.
    - ``tip_to_edge_mm``: Distance from the tip to the far edge of the tumour. Unit: mm (UCUM).
        Source: literature.
    """

    TYPE: ClassVar[str] = "ProbePositionChecked"

    probe_id: str
    outcome: PositionOutcome
    tip_to_edge_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRemoved(Event):
    """A probe was removed. Source: printed in Susa 2016.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``tip_temperature_cel``: Tip temperature at removal, where the probe measures one. Unit: Cel
        (UCUM). Source: general knowledge, unconfirmed.
    """

    TYPE: ClassVar[str] = "ProbeRemoved"

    probe_id: str
    tip_temperature_cel: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThawStarted(Event):
    """A probe started to thaw; thaw modes are from the literature. Source: printed in Susa 2016;
    the rest from the literature.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``cycle_no``: Freeze-thaw cycle of this probe, from 1. Refused below 1. Source: printed in
        Susa 2016.
    - ``mode``: How the probe is warmed. Source: literature.
    """

    TYPE: ClassVar[str] = "ThawStarted"

    probe_id: str
    cycle_no: int
    mode: ThawMode


@dataclass(frozen=True, slots=True, kw_only=True)
class ThawStopped(Event):
    """A probe stopped thawing. Source: printed in Susa 2016.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``cycle_no``: Freeze-thaw cycle of this probe, from 1. Refused below 1. Source: printed in
        Susa 2016.
    - ``tip_max_cel``: Highest tip temperature of this thaw, where the probe measures one. Unit: Cel
        (UCUM). Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "ThawStopped"

    probe_id: str
    cycle_no: int
    tip_max_cel: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TractChecked(Event):
    """The tract of a removed probe was checked for bleeding. Source: printed in Susa 2016.

    - ``probe_id``: Probe, unique within the procedure. Source: printed in Susa 2016.
    - ``bleeding``: Whether it bled. Source: printed in Susa 2016.
    """

    TYPE: ClassVar[str] = "TractChecked"

    probe_id: str
    bleeding: bool
