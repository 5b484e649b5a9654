"""The state machine of one probe: one step an event, with what departs from the usual order.

====================  =====================================  =========
state                 allowed next                           to
====================  =====================================  =========
absent                ProbeInserted                          in
in                    ProbeAnchored, ProbePositionChecked    in
in, thawed            FreezeStarted, cycle_no = last + 1     freezing
freezing              FlowChanged                            freezing
freezing              FreezeStopped, same cycle_no           frozen
frozen                ThawStarted, same cycle_no             thawing
thawing               ThawStopped, same cycle_no             thawed
in, thawed            ProbeRemoved                           out
out                   TractChecked, HaemostasisApplied       out
====================  =====================================  =========
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal, NamedTuple
from uuid import UUID

from cryotrail_schemas.events import (
    Event,
    FlowChanged,
    FreezeStarted,
    FreezeStopped,
    HaemostasisApplied,
    ProbeAnchored,
    ProbeInserted,
    ProbePositionChecked,
    ProbeRemoved,
    ThawStarted,
    ThawStopped,
    TractChecked,
)

Label = Literal[
    "orphan_stop",  # a stop of what is not open
    "freeze_open",  # a freeze that nothing stopped
    "thaw_open",  # a thaw that nothing stopped
    "freeze_without_thaw",
    "cycle_skipped",  # a freeze whose cycle_no is not the last one + 1
    "after_removal",  # an event of a probe that is out
    "never_removed",
    "second_insertion",
    "not_inserted",  # an event of a probe that no event inserted
    "out_of_order",  # any other event that the probe's state does not allow
    "phase_out_of_order",  # of the procedure: a phase without the one before it, or again
    "late",  # of the procedure: an event of its day after it was sealed
]


class Deviation(NamedTuple):
    """One departure from the usual order; a finding about the record, not about the people."""

    label: Label
    probe_id: str | None
    cycle_no: int | None
    event_id: UUID
    """The event that departs; for what was left open, the one that opened it."""
    text: str


class ProbeState(StrEnum):
    """Where a probe is."""

    ABSENT = "absent"
    IN = "in"
    FREEZING = "freezing"
    FROZEN = "frozen"
    THAWING = "thawing"
    THAWED = "thawed"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class ProbeView:
    """One probe after the events so far."""

    probe_id: str
    state: ProbeState = ProbeState.ABSENT
    last_cycle_no: int = 0
    """Cycle of its last freeze; 0 before the first."""
    open_cycle_no: int | None = None
    """Cycle of the freeze or thaw that it is in or between."""
    since_event_id: UUID | None = None
    """Event that brought it into its state."""
    inserted_event_id: UUID | None = None


PROBE_EVENTS: Final = (
    ProbeInserted,
    ProbeAnchored,
    ProbePositionChecked,
    FreezeStarted,
    FlowChanged,
    FreezeStopped,
    ThawStarted,
    ThawStopped,
    ProbeRemoved,
    TractChecked,
    HaemostasisApplied,
)
"""Types that move a probe's state machine; HaemostasisApplied only when it names a probe."""


def step(probe: ProbeView, event: Event) -> tuple[ProbeView, list[Deviation]]:
    """The probe after one event of its own, and what departs from the usual order."""
    event_id = event.header.event_id
    if isinstance(event, ProbeInserted):
        return _insert(probe, event_id)
    found: list[Deviation] = []
    cycle_no: int | None = getattr(event, "cycle_no", None)
    name = event.TYPE

    def report(label: Label, text: str) -> None:
        found.append(Deviation(label, probe.probe_id, cycle_no, event_id, text))

    def moved(state: ProbeState, open_cycle_no: int | None) -> ProbeView:
        return replace(probe, state=state, open_cycle_no=open_cycle_no, since_event_id=event_id)

    after_removal = isinstance(event, TractChecked | HaemostasisApplied)
    if probe.state is ProbeState.OUT:
        if not after_removal:
            report("after_removal", f"{name} after the probe was removed")
        return probe, found
    if probe.inserted_event_id is None and probe.state is ProbeState.ABSENT:
        report("not_inserted", f"{name} of a probe that was not inserted")
    same_cycle = probe.open_cycle_no == cycle_no
    match event:
        case FreezeStarted(cycle_no=number):
            found += left_open(probe)
            if number != probe.last_cycle_no + 1:
                report("cycle_skipped", f"cycle {number} follows cycle {probe.last_cycle_no}")
            return replace(moved(ProbeState.FREEZING, number), last_cycle_no=number), found
        case FreezeStopped():
            if probe.state is ProbeState.FREEZING and same_cycle:
                return moved(ProbeState.FROZEN, cycle_no), found
            report("orphan_stop", f"{name} of cycle {cycle_no}, in which the probe does not freeze")
        case ThawStarted():
            found += [] if probe.state is ProbeState.FROZEN and same_cycle else left_open(probe)
            if not (same_cycle and probe.state in (ProbeState.FROZEN, ProbeState.FREEZING)):
                report("out_of_order", f"{name} of cycle {cycle_no}, in which nothing was frozen")
            return moved(ProbeState.THAWING, cycle_no), found
        case ThawStopped():
            if probe.state is ProbeState.THAWING and same_cycle:
                return moved(ProbeState.THAWED, None), found
            report("orphan_stop", f"{name} of cycle {cycle_no}, in which the probe does not thaw")
        case ProbeRemoved():
            found += left_open(probe)
            return moved(ProbeState.OUT, None), found
        case FlowChanged():
            if probe.state not in (ProbeState.FREEZING, ProbeState.ABSENT):
                report("out_of_order", f"{name} while the probe is {probe.state}")
        case ProbeAnchored() | ProbePositionChecked():
            if probe.state not in (ProbeState.IN, ProbeState.ABSENT):
                report("out_of_order", f"{name} while the probe is {probe.state}")
        case TractChecked() | HaemostasisApplied():
            if probe.state is not ProbeState.ABSENT:
                report("out_of_order", f"{name} before the probe was removed")
    return probe, found


def left_open(probe: ProbeView) -> list[Deviation]:
    """What would be left undone if the probe went on to something else, or the procedure ended."""
    labels: dict[ProbeState, tuple[Label, str]] = {
        ProbeState.FREEZING: ("freeze_open", "was not stopped"),
        ProbeState.FROZEN: ("freeze_without_thaw", "was not followed by a thaw"),
        ProbeState.THAWING: ("thaw_open", "was not stopped"),
    }
    if probe.state not in labels or probe.since_event_id is None:
        return []
    label, text = labels[probe.state]
    what = "thaw" if probe.state is ProbeState.THAWING else "freeze"
    cycle_no = probe.open_cycle_no
    text = f"{what} of cycle {cycle_no} {text}"
    return [Deviation(label, probe.probe_id, cycle_no, probe.since_event_id, text)]


def never_removed(probe: ProbeView) -> list[Deviation]:
    """For a procedure that ended: the probe, when it was inserted and is not out."""
    if probe.inserted_event_id is None or probe.state is ProbeState.OUT:
        return []
    event_id, text = probe.inserted_event_id, "the probe was inserted and never removed"
    return [Deviation("never_removed", probe.probe_id, None, event_id, text)]


def _insert(probe: ProbeView, event_id: UUID) -> tuple[ProbeView, list[Deviation]]:
    if probe.inserted_event_id is not None:
        text = "ProbeInserted again under the same probe_id"
        again = [Deviation("second_insertion", probe.probe_id, None, event_id, text)]
        if probe.state is not ProbeState.OUT:
            return probe, again
    else:
        again = []
    if probe.state in (ProbeState.ABSENT, ProbeState.OUT):
        probe = replace(probe, state=ProbeState.IN, since_event_id=event_id)
    return replace(probe, inserted_event_id=event_id), again
