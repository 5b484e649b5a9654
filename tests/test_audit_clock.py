"""The store's clock refuses a step that would freeze ``recorded_us`` for good."""

import re

import pytest

from cryotrail_audit.clock import StoreClock
from cryotrail_audit.errors import ClockJumped

HOUR_NS = 3600 * 10**9


class Clocks:
    """A wall clock and a steady one, set by hand."""

    def __init__(self):
        self.wall = 1_790_000_000 * 10**9
        self.steady = 0

    def pass_time(self, ns, step=0):
        self.wall += ns + step
        self.steady += ns


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def clock(clocks):
    return StoreClock(lambda: clocks.wall, lambda: clocks.steady)


def test_the_time_is_that_of_the_wall_clock_in_microseconds(clocks, clock):
    clocks.pass_time(48 * HOUR_NS)

    assert clock.now_us() == clocks.wall // 1000


def test_small_corrections_are_taken_however_many_there_are(clocks, clock):
    for _ in range(10):
        clocks.pass_time(HOUR_NS, step=60 * 10**9)
        assert clock.now_us() == clocks.wall // 1000


@pytest.mark.parametrize("step_s", [301, -301, 73 * 365 * 86400])
def test_a_step_of_more_than_five_minutes_is_refused_for_good(clocks, clock, step_s):
    clocks.pass_time(HOUR_NS, step=step_s * 10**9)

    for _ in range(2):
        with pytest.raises(ClockJumped, match=re.escape(f"{step_s:+d} s")):
            clock.now_us()
        clocks.pass_time(HOUR_NS)


def test_the_clock_of_this_machine_goes():
    first, second = StoreClock().now_us(), StoreClock().now_us()

    assert 0 <= second - first < 60_000_000
