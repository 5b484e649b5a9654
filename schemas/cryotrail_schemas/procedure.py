"""A procedure as a pure fold over its events: phases, probes, and departures from the usual order.

Late and odd events are normal, so nothing is refused: what departs is reported as a labelled
deviation and the fold goes on from the state that the event implies. Phases follow each other as
scheduled, started, ended, discharged, sealed; what a probe may do is in ``probe_states``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from cryotrail_schemas.events import (
    EndStatus,
    Event,
    PatientDischarged,
    ProcedureEnded,
    ProcedureScheduled,
    ProcedureSealed,
    ProcedureStarted,
)
from cryotrail_schemas.probe_states import (
    PROBE_EVENTS,
    Deviation,
    Label,
    ProbeState,
    ProbeView,
    left_open,
    never_removed,
    step,
)

__all__ = [
    "AFTER_CARE",
    "RECORD_KEEPING",
    "Deviation",
    "Label",
    "Phase",
    "ProbeState",
    "ProbeView",
    "ProcedureView",
    "fold",
]

AFTER_CARE: Final = frozenset(
    {
        "ComplicationReported",
        "ComplicationRegraded",
        "ComplicationResolved",
        "FollowUpImagingPerformed",
        "ResponseAssessed",
        "RecurrenceDetected",
        "VitalStatusUpdated",
    }
)
"""Types that come days to months after the procedure day, sealed or not."""

RECORD_KEEPING: Final = frozenset(
    {
        "EventAmended",
        "EventVoided",
        "ProcedureSealed",
        "ProcedureReviewed",
        "OutboxLossReported",
        "TelemetryGapReported",
    }
)
"""Types that tell of the record, not of the procedure."""


class Phase(IntEnum):
    """How far a procedure has come."""

    UNKNOWN = 0
    SCHEDULED = 1
    STARTED = 2
    ENDED = 3
    DISCHARGED = 4
    SEALED = 5


_PHASE_OF: Final[Mapping[type[Event], Phase]] = MappingProxyType(
    {
        ProcedureScheduled: Phase.SCHEDULED,
        ProcedureStarted: Phase.STARTED,
        ProcedureEnded: Phase.ENDED,
        PatientDischarged: Phase.DISCHARGED,
        ProcedureSealed: Phase.SEALED,
    }
)


@dataclass(frozen=True, slots=True)
class ProcedureView:
    """A procedure after the events so far."""

    phase: Phase
    reached_at: Mapping[Phase, datetime]
    """When each phase was first reached, by the source's clock."""
    end_status: EndStatus | None
    probes: Mapping[str, ProbeView]
    """By probe_id, in the order in which they first appear."""
    deviations: tuple[Deviation, ...]


def fold(events: Iterable[Event]) -> ProcedureView:
    """Fold the current view of one procedure: voided events left out, amendments applied.

    Events are taken by ``occurred_at``; those of one instant in the order given, which should be
    that of producer_id, procedure_seq and event_id. What is still open is a deviation only once
    the procedure has ended: until then its stop may yet come.
    """
    phase = Phase.UNKNOWN
    reached_at: dict[Phase, datetime] = {}
    end_status: EndStatus | None = None
    probes: dict[str, ProbeView] = {}
    deviations: list[Deviation] = []
    for event in sorted(events, key=lambda event: event.header.occurred_at):
        if phase is Phase.SEALED and event.TYPE not in AFTER_CARE | RECORD_KEEPING:
            text = f"{event.TYPE} occurred after the procedure was sealed"
            deviations.append(_of_procedure("late", event, text))
        if reached := _PHASE_OF.get(type(event)):
            deviations += _phase_deviations(phase, reached, event)
            phase = max(phase, reached)
            reached_at.setdefault(reached, event.header.occurred_at)
        if isinstance(event, ProcedureEnded):
            end_status = event.status
        probe_id: str | None = getattr(event, "probe_id", None)
        if isinstance(event, PROBE_EVENTS) and probe_id is not None:
            before = probes.get(probe_id, ProbeView(probe_id))
            probes[probe_id], found = step(before, event)
            deviations += found
    if phase >= Phase.ENDED:
        for probe in probes.values():
            deviations += left_open(probe) + never_removed(probe)
    return ProcedureView(
        phase,
        MappingProxyType(reached_at),
        end_status,
        MappingProxyType(probes),
        tuple(deviations),
    )


def _phase_deviations(phase: Phase, reached: Phase, event: Event) -> list[Deviation]:
    # Each outbox seals its own part, so that several seals are in order.
    if reached == phase + 1 or reached is phase is Phase.SEALED:
        return []
    text = f"{event.TYPE} while the procedure is {phase.name.lower()}"
    return [_of_procedure("phase_out_of_order", event, text)]


def _of_procedure(label: Label, event: Event, text: str) -> Deviation:
    return Deviation(label, None, None, event.header.event_id, text)
