"""Refreshing again and again gives what one build of the whole log gives, whatever arrives."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from handmade_case import Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marts import differences
from small_warehouse import SmallWarehouse

from cryotrail_audit.store import migrate
from cryotrail_schemas.events import (
    Channel,
    ComplicationReported,
    CtAcquired,
    Event,
    FollowUpImagingPerformed,
    FreezeStarted,
    FreezeStopped,
    IceBallChecked,
    ProbeInserted,
    ProbeTelemetryChunk,
    ProcedureEnded,
    ProcedureStarted,
    ThawStarted,
    ThawStopped,
    VitalStatus,
    VitalStatusUpdated,
)

CASES = 3
MINUTES = st.integers(0, 12).map(lambda tens: tens * 10.0)  # few, so that times are often equal


@st.composite
def events_of(draw: st.DrawFn, case: Case) -> list[Event]:
    """Some events of a procedure, in any order and combination, then corrections of some."""

    def minute() -> float:
        return draw(MINUTES)

    def cycle() -> dict[str, object]:
        return {"probe_id": draw(st.sampled_from("12")), "cycle_no": draw(st.integers(1, 2))}

    makers = {
        "scheduled": lambda: case.scheduled(age_years=draw(st.integers(60, 80))),
        "started": lambda: case.at(ProcedureStarted, minute()),
        "ended": lambda: case.at(ProcedureEnded, minute()),
        "inserted": lambda: case.at(
            ProbeInserted, minute(), probe_id=draw(st.sampled_from("12")), probe_no=1
        ),
        "freeze": lambda: case.at(FreezeStarted, minute(), **cycle()),
        "frozen": lambda: case.at(FreezeStopped, minute(), **cycle()),
        "thaw": lambda: case.at(ThawStarted, minute(), **cycle()),
        "thawed": lambda: case.at(ThawStopped, minute(), **cycle()),
        "checked": lambda: case.at(
            IceBallChecked,
            minute(),
            cycle_no=draw(st.integers(1, 2)),
            margin_cranial_mm=draw(st.sampled_from([None, -1.5, 10.0])),
        ),
        "scanned": lambda: case.at(CtAcquired, minute()),
        "complication": lambda: case.at(
            ComplicationReported, minute(), complication_id=case.lesion_id
        ),
        "imaged": lambda: case.at(FollowUpImagingPerformed, minute(), planned_month=1),
        "status": lambda: case.at(
            VitalStatusUpdated,
            minute(),
            vital_status=draw(st.sampled_from([VitalStatus.ALIVE, VitalStatus.DEAD])),
            last_contact_on=case.start.date(),
        ),
        "samples": lambda: case.at(
            ProbeTelemetryChunk,
            minute(),
            channel=Channel.TIP_TEMPERATURE_CEL,
            probe_id=draw(st.sampled_from("12")),
            period_ms=60_000,
            values=tuple(draw(st.lists(st.sampled_from([-50.25, -20.0, None]), max_size=8))),
        ),
    }
    names = draw(st.lists(st.sampled_from(sorted(makers)), min_size=1, max_size=14))
    events: list[Event] = [makers[name]() for name in names]
    for _ in range(draw(st.integers(0, 5))):
        target = draw(st.sampled_from(events))  # corrections of corrections among them
        if draw(st.booleans()):
            events.append(case.void(target, minute()))
        else:
            events.append(
                case.amend(target, "/header/occurred_at", case.time(minute()), minute=minute())
            )
    return events


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Event]]:
    """Events of a few procedures of two subjects, out of order, some twice, cut into batches.

    Some voids carry another procedure's id than what they target.
    """
    everything: list[Event] = []
    cases = [Case(number, subject=number % 2) for number in range(1, CASES + 1)]
    for case in cases:
        everything += draw(events_of(case))
    for _ in range(draw(st.integers(0, 2))):
        everything.append(draw(st.sampled_from(cases)).void(draw(st.sampled_from(everything))))
    arriving = draw(st.permutations(everything))
    arriving += draw(st.lists(st.sampled_from(everything), max_size=3))
    cuts = sorted(draw(st.lists(st.integers(0, len(arriving)), min_size=1, max_size=3)))
    bounds = [0, *cuts, len(arriving)]
    batches = [arriving[a:b] for a, b in pairwise(bounds)]
    return [list(batch) for batch in batches if batch]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(deliveries())
def test_refreshing_equals_rebuilding(batches: Sequence[Sequence[Event]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-incremental-"))
    try:
        url = f"sqlite:///{folder / 'audit.sqlite3'}"
        migrate(url)
        with SmallWarehouse(url, folder / "refreshed") as warehouse:
            for batch in batches:
                path = warehouse.publish(*batch)
            rebuilt = warehouse.rebuild(folder / "rebuilt").path

        assert differences(path, rebuilt) == {}
    finally:
        shutil.rmtree(folder)
