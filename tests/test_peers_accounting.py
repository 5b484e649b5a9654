"""The account of the peers' benchmark: what a sink lost, doubled, rewrote or mixed up is counted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks" / "peers"))

from peer_account import Account, Published, account

PUBLISHED = {
    f"{procedure}{place}": Published(procedure, place) for place in range(4) for procedure in "ab"
}
IN_ORDER = list(PUBLISHED)


def changed(**counts: int) -> Account:
    """An account of nothing but these."""
    none = {"lost": 0, "duplicated": 0, "rewritten": 0, "order_breaks": 0, "invented": 0}
    return Account(**(none | counts))


@pytest.mark.parametrize(
    ("written", "rows", "expected"),
    [
        pytest.param(IN_ORDER, IN_ORDER, changed(), id="each_once"),
        pytest.param(IN_ORDER, IN_ORDER[:3] + IN_ORDER[4:], changed(lost=1), id="row_missing"),
        pytest.param(IN_ORDER[:-2], IN_ORDER[:-2], changed(lost=2), id="never_written"),
        pytest.param(
            [*IN_ORDER, "a1"], [*IN_ORDER, "a1"], changed(duplicated=1, rewritten=1), id="row_twice"
        ),
        pytest.param([*IN_ORDER, "a1", "a1"], IN_ORDER, changed(rewritten=2), id="overwritten"),
        pytest.param(
            ["a0", "b0", "a2", "b1", "a1", "b2", "a3", "b3"], IN_ORDER,
            changed(order_breaks=1), id="later_event_first",
        ),
        pytest.param(
            ["b0", "b1", "b2", "b3", "a0", "a1", "a2", "a3"], IN_ORDER,
            changed(), id="procedures_are_independent",
        ),
        pytest.param(
            [*IN_ORDER, "a0"], IN_ORDER, changed(rewritten=1), id="rewriting_breaks_no_order"
        ),
        pytest.param([*IN_ORDER, "c0"], [*IN_ORDER, "c0"], changed(invented=1), id="unknown_event"),
    ],
)  # fmt: skip
def test_account_counts_what_a_sink_did_wrong(
    written: list[str], rows: list[str], expected: Account
) -> None:
    assert account(PUBLISHED, enumerate(written), rows) == expected


def test_account_sees_no_order_within_a_transaction_and_every_order_between_two() -> None:
    mixed = ["a2", "a0", "a1", "a3", "b0", "b1", "b2", "b3"]
    together = [(7, event_id) for event_id in mixed]
    apart = [(7, "a2"), (7, "a0"), (8, "a1"), (8, "a3"), *((8, f"b{n}") for n in range(4))]
    assert account(PUBLISHED, together, mixed) == changed()
    assert account(PUBLISHED, apart, mixed) == changed(order_breaks=1)
