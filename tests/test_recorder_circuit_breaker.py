"""When a circuit breaker opens, and when it closes again: numbers and times alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryotrail_consumers.recording.circuit_breaker import BreakerLimits, CircuitBreaker, Sample
from cryotrail_producers.back_off import BackOff

LIMITS = BreakerLimits(records=20, share=0.5, window_s=300.0)


def sample(flags: Sequence[bool]) -> Sample:
    """A batch; True = a record whose schema is not known."""
    lead = flags.index(True) if True in flags else len(flags)
    return Sample(len(flags), sum(flags), lead)


batches = st.lists(st.lists(st.booleans(), min_size=1, max_size=80), max_size=30)
limits = st.builds(
    BreakerLimits,
    records=st.integers(0, 30),
    share=st.floats(0, 0.99),
    window_s=st.floats(1.0, 1000.0),
)


@given(st.lists(st.integers(1, 5000), max_size=50), limits)
def test_records_that_are_known_never_open_it(sizes: list[int], limits: BreakerLimits) -> None:
    breaker = CircuitBreaker(limits)

    assert all(breaker.passes(Sample(size, 0, size), 1.0 * n) for n, size in enumerate(sizes))
    assert breaker.state == "closed"


@given(batches, limits)
def test_more_unknown_records_than_the_limit_in_a_row_never_pass(
    before: list[list[bool]], limits: BreakerLimits
) -> None:
    """However healthy the partition was until then."""
    breaker = CircuitBreaker(limits)
    for number, flags in enumerate(before):
        breaker.passes(sample(flags), float(number))
    deployed = [False] * 5000 + [True] * (limits.records + 1)

    assert not breaker.passes(sample(deployed), float(len(before)))
    assert breaker.state == "open"


@given(batches, limits)
def test_what_passes_while_it_is_closed_stays_within_the_limits(
    given_batches: list[list[bool]], limits: BreakerLimits
) -> None:
    breaker = CircuitBreaker(limits)
    passed: list[bool] = []
    for flags in given_batches:
        if not breaker.passes(sample(flags), 0.0):
            break
        passed += flags
        assert sum(passed) <= limits.records or sum(passed) <= limits.share * len(passed)


@given(batches, limits)
def test_while_it_is_not_closed_no_batch_passes_in_which_too_large_a_share_is_unknown(
    given_batches: list[list[bool]], limits: BreakerLimits
) -> None:
    """Not even a few at each try: that would empty the partition slowly."""
    breaker = CircuitBreaker(limits)
    for number, flags in enumerate(given_batches):
        was_closed = breaker.state == "closed"
        one = sample(flags)
        if breaker.passes(one, float(number)) and not was_closed:
            assert one.unknown <= limits.share * (one.total - one.lead)


def test_a_few_strays_pass_and_so_do_many_that_are_a_small_share() -> None:
    breaker = CircuitBreaker(LIMITS)

    assert breaker.passes(sample([True] * 20), 0.0)
    assert breaker.passes(sample(([False] * 9 + [True]) * 100), 1.0)


def test_a_trickle_adds_up_within_the_window_and_not_beyond_it() -> None:
    quick, slow = CircuitBreaker(LIMITS), CircuitBreaker(LIMITS)

    assert [quick.passes(sample([True]), float(n)) for n in range(21)] == [True] * 20 + [False]
    assert all(slow.passes(sample([True]), 20.0 * n) for n in range(100))


@pytest.mark.parametrize(("known_by_now", "state"), [(True, "closed"), (False, "open")])
def test_half_open_the_next_batch_decides(known_by_now: bool, state: str) -> None:
    breaker = CircuitBreaker(LIMITS, BackOff(1.0, 60.0))
    assert not breaker.passes(sample([True] * 30), 100.0)
    assert not breaker.is_due(100.4)
    assert breaker.is_due(101.0)

    breaker.half_open()

    assert breaker.passes(sample([not known_by_now]), 101.0) is known_by_now
    assert breaker.state == state


def test_each_try_in_vain_makes_the_next_wait_longer_up_to_a_minute() -> None:
    breaker = CircuitBreaker(LIMITS)
    breaker.passes(sample([True] * 30), 0.0)
    waited, now_s = [], 0.0
    for _ in range(12):
        began_s = now_s
        while not breaker.is_due(now_s):
            now_s += 0.25
        waited.append(now_s - began_s)
        breaker.half_open()
        breaker.passes(sample([True]), now_s)

    assert waited[0] <= 1.25
    assert 30.0 <= waited[-1] <= 60.25
