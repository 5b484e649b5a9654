"""Events at a multiple of the pace of the room."""

from __future__ import annotations

import pytest

from cryotrail_producers.simulate import paced, simulate
from cryotrail_schemas.events import Event, PatientDischarged, ProcedureEnded, ProcedureStarted


class Clock:
    """A clock that only sleeping moves, so that a test of hours takes none."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept = 0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now_s += seconds
        self.slept += 1


def publish(events: list[Event], speed: float, clock: Clock) -> dict[str, float]:
    """When the first event of each type was yielded, in seconds of the clock."""
    seen: dict[str, float] = {}
    for event in paced(events, speed, clock=clock, sleep=clock.sleep):
        seen.setdefault(event.TYPE, clock())
    return seen


@pytest.mark.parametrize("speed", [1, 60])
def test_a_procedure_takes_its_length_over_the_speed(speed: float) -> None:
    events = list(simulate(1, seed=7))
    (started,) = (event for event in events if isinstance(event, ProcedureStarted))
    (ended,) = (event for event in events if isinstance(event, ProcedureEnded))
    length_s = (ended.header.occurred_at - started.header.occurred_at).total_seconds()

    seen = publish(events, speed, Clock())

    assert seen["ProcedureEnded"] - seen["ProcedureStarted"] == pytest.approx(length_s / speed)


def test_nights_and_months_are_passed_over() -> None:
    events = list(simulate(1, seed=7))
    clock = Clock()

    seen = publish(events, 1, clock)

    assert seen[PatientDischarged.TYPE] == seen[ProcedureEnded.TYPE]
    assert clock.now_s - 100 < 6 * 60 * 60


def test_a_slow_taker_is_not_made_slower() -> None:
    clock = Clock()
    events = list(simulate(1, seed=7))

    for _ in paced(events, 60, clock=clock, sleep=clock.sleep):
        clock.now_s += 60  # the taker needs a minute for each

    assert clock.now_s == pytest.approx(100 + 60 * len(events), rel=0.01)


def test_speed_zero_never_sleeps_and_keeps_the_order() -> None:
    clock = Clock()
    events = list(simulate(1, seed=7))

    assert list(paced(events, 0, clock=clock, sleep=clock.sleep)) == events
    assert clock.slept == 0
