"""The freeze-thaw cycles of a procedure, with the looks at the ice ball during each freeze."""

from __future__ import annotations

from collections.abc import Iterator

from cryotrail_producers.replay.case import Case
from cryotrail_producers.replay.margins import Margins
from cryotrail_producers.replay.minute_plan import PlannedCycle
from cryotrail_schemas.events import (
    ActorRole,
    CtAcquired,
    CtPhase,
    Event,
    FreezeStarted,
    FreezeStopped,
    IceBallChecked,
    StopReason,
    ThawMode,
    ThawStarted,
    ThawStopped,
)


def freeze_and_thaw(case: Case) -> Iterator[Event]:
    """Every cycle in order of time: all probes freeze together, then thaw together."""
    margins = case.margins()
    for cycle in case.plan.cycles:
        yield from _freeze(case, cycle, margins)
        yield from _thaw(case, cycle)


def _freeze(case: Case, cycle: PlannedCycle, margins: Iterator[Margins]) -> Iterator[Event]:
    make, at, number = case.headers.make, case.at, cycle.cycle_no
    for probe_id in case.probe_ids:
        yield FreezeStarted(
            header=make(
                FreezeStarted,
                at(cycle.freeze_start_s),
                ActorRole.OPERATOR,
                probe=probe_id,
                cycle_no=number,
            ),
            probe_id=probe_id,
            cycle_no=number,
        )
    for check_s in cycle.ice_ball_checks_s:
        ct = CtAcquired(
            header=make(CtAcquired, at(check_s), ActorRole.RADIOGRAPHER, cycle_no=number),
            phase=CtPhase.MONITORING,
            cycle_no=number,
        )
        yield ct
        seen = next(margins)
        yield IceBallChecked(
            header=make(IceBallChecked, at(check_s), ActorRole.OPERATOR, cycle_no=number),
            cycle_no=number,
            covers_tumour=seen.covers_tumour,
            margin_cranial_mm=seen.cranial_mm,
            margin_caudal_mm=seen.caudal_mm,
            margin_anterior_mm=seen.anterior_mm,
            margin_posterior_mm=seen.posterior_mm,
            margin_medial_mm=seen.medial_mm,
            margin_lateral_mm=seen.lateral_mm,
            ct_event_id=ct.header.event_id,
        )
    for probe_id, curve in zip(case.probe_ids, case.tip_curves, strict=True):
        yield FreezeStopped(
            header=make(
                FreezeStopped,
                at(cycle.freeze_stop_s),
                ActorRole.OPERATOR,
                probe=probe_id,
                cycle_no=number,
            ),
            probe_id=probe_id,
            cycle_no=number,
            stop_reason=StopReason.PLANNED,
            tip_min_cel=min(curve.freezes[number - 1].samples_cel),
        )


def _thaw(case: Case, cycle: PlannedCycle) -> Iterator[Event]:
    make, at, number = case.headers.make, case.at, cycle.cycle_no
    last = cycle is case.plan.cycles[-1]
    for probe_id in case.probe_ids:
        yield ThawStarted(
            header=make(
                ThawStarted,
                at(cycle.freeze_stop_s),
                ActorRole.OPERATOR,
                probe=probe_id,
                cycle_no=number,
            ),
            probe_id=probe_id,
            cycle_no=number,
            mode=ThawMode.ACTIVE_HELIUM if last else ThawMode.PASSIVE,
        )
    for probe_id, curve in zip(case.probe_ids, case.tip_curves, strict=True):
        yield ThawStopped(
            header=make(
                ThawStopped,
                at(cycle.thaw_stop_s),
                ActorRole.OPERATOR,
                probe=probe_id,
                cycle_no=number,
            ),
            probe_id=probe_id,
            cycle_no=number,
            tip_max_cel=max(curve.thaws[number - 1].samples_cel),
        )
