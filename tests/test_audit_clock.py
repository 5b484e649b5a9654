"""A clock that may be wrong stamps nothing until an operator confirms it; then all goes on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from audit_records import Writer, record

from cryotrail_audit.appending import append as append_step
from cryotrail_audit.clock import StoreClock
from cryotrail_audit.clock_confirmation import CLOCK_JUMP, confirm_clock
from cryotrail_audit.errors import ClockJumped
from cryotrail_audit.records import Entry
from cryotrail_audit.sql_store import SqlStore
from cryotrail_audit.verification import verify

S = 10**9
DAY_S = 86_400
YEARS_S = 73 * 365 * DAY_S


class Clocks:
    """The wall clock and the steady clock of a machine, set by hand; right at first."""

    def __init__(self) -> None:
        self.wall = time.time_ns()
        self.steady = 0

    def step(self, seconds: int) -> None:
        """Somebody sets the wall clock."""
        self.wall += seconds * S

    def go(self, seconds: int) -> None:
        """Time passes, on both."""
        self.wall += seconds * S
        self.steady += seconds * S

    @contextmanager
    def process(self, url: str) -> Iterator[Writer]:
        """A recorder that is started on this machine."""
        with closing(SqlStore.open(url)) as store:
            store.clock = StoreClock(lambda: self.wall, lambda: self.steady)
            yield Writer(store)

    def confirm(self, url: str) -> None:
        """An operator of this machine looks at its clock and confirms it."""
        confirm_clock(url, "set by hand", "operator-1", clock_us=self.wall // 1000)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def entries(url: str, kinds: tuple[int, ...] = (0, 3)) -> list[Entry]:
    with closing(SqlStore.open(url)) as store:
        return [entry for rows in store.entries(kinds=kinds) for entry in rows]


def test_entries_are_stamped_by_the_wall_clock(store_url: str, clocks: Clocks) -> None:
    with clocks.process(store_url) as writer:
        clocks.go(60)
        writer.append([record(0)])

    assert entries(store_url, (0,))[0].recorded_us == clocks.wall // 1000


def test_small_corrections_are_taken_however_many_there_are(
    sqlite_url: str, clocks: Clocks
) -> None:
    with clocks.process(sqlite_url) as writer:
        for offset in range(10):
            clocks.go(3600)
            clocks.step(60)
            writer.append([record(offset)])

    assert entries(sqlite_url, (0,))[-1].recorded_us == clocks.wall // 1000


@pytest.mark.parametrize("step_s", [-301, 301, YEARS_S])
def test_after_a_step_nothing_is_appended_until_it_is_confirmed(
    store_url: str, clocks: Clocks, step_s: int
) -> None:
    with clocks.process(store_url) as writer:
        writer.append([record(0)])
        clocks.step(step_s)
        for _ in range(2):
            with pytest.raises(ClockJumped, match=re.escape(f"moved by {step_s:+d} s")) as refused:
                writer.append([record(1)])
        assert refused.value.retriable
        assert len(entries(store_url, (0,))) == 1

        clocks.confirm(store_url)

        writer.append([record(1)])
        writer.append([record(2)])
    assert len(entries(store_url, (0,))) == 3
    assert verify(store_url).result == "intact"


def test_a_step_in_the_midst_of_an_append_is_found_by_the_next_one(
    store_url: str, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clocks.process(store_url) as writer:
        writer.append([record(0)])
        # Behind the look at the clock and before the commit.
        monkeypatch.setattr(append_step, "_close", _after(clocks, append_step._close))
        writer.append([record(1)])
        monkeypatch.undo()
        with pytest.raises(ClockJumped, match="moved by"):
            writer.append([record(2)])

        clocks.step(-DAY_S)
        writer.append([record(2)])
    assert entries(store_url, (0,))[-1].recorded_us == clocks.wall // 1000


def _after(clocks: Clocks, close: Callable[..., bytes]) -> Callable[..., bytes]:
    def stepped(*arguments: Any) -> bytes:
        clocks.step(DAY_S)
        return close(*arguments)

    return stepped


def test_a_clock_that_is_set_right_again_needs_no_confirmation(
    store_url: str, clocks: Clocks
) -> None:
    with clocks.process(store_url) as writer:
        clocks.step(DAY_S)
        with pytest.raises(ClockJumped):
            writer.append([record(0)])
        clocks.step(-DAY_S)

        writer.append([record(0)])


def test_a_confirmation_covers_no_later_step(store_url: str, clocks: Clocks) -> None:
    with clocks.process(store_url) as writer:
        clocks.confirm(store_url)
        writer.append([record(0)])
        clocks.step(DAY_S)

        with pytest.raises(ClockJumped):
            writer.append([record(1)])


def test_the_entry_says_who_confirmed_what(store_url: str, clocks: Clocks) -> None:
    with clocks.process(store_url) as writer:
        writer.append([record(0)])
    (before,) = entries(store_url, (0,))
    clocks.confirm(store_url)

    (said,) = [entry for entry in entries(store_url, (3,)) if entry.event_type == CLOCK_JUMP]
    payload = json.loads(said.raw or b"")
    server_us = payload.pop("server_us")
    assert payload == {
        "reason": "set by hand",
        "decided_by": "operator-1",
        "clock_us": clocks.wall // 1000,
        "last_recorded_us": before.recorded_us,
    }
    assert (server_us is None) == store_url.startswith("sqlite")


class TestAcrossARestart:
    """What a process finds that was started after the clock was set."""

    def test_a_clock_behind_the_last_stamp_is_refused_until_it_is_confirmed(
        self, sqlite_url: str, clocks: Clocks
    ) -> None:
        clocks.step(YEARS_S)
        with clocks.process(sqlite_url) as writer:  # nothing here could tell
            writer.append([record(0)])
        clocks.step(-YEARS_S)
        with pytest.raises(ClockJumped, match="behind the last entry"), clocks.process(sqlite_url):
            pass

        clocks.confirm(sqlite_url)

        for offset in (1, 2):  # in each process from now on
            with clocks.process(sqlite_url) as writer:
                writer.append([record(offset)])
        stamps = [entry.recorded_us for entry in entries(sqlite_url)]
        assert stamps == sorted(stamps)

    def test_a_clock_apart_from_the_database_servers_is_refused_until_it_is_confirmed(
        self, postgres_url: str, clocks: Clocks
    ) -> None:
        clocks.step(DAY_S)
        refused = pytest.raises(ClockJumped, match=r"\+86\d{3} s from the database server's")
        with refused, clocks.process(postgres_url):
            pass
        confirm_clock(postgres_url)  # on another machine, whose clock is right: that says nothing
        with refused, clocks.process(postgres_url):
            pass

        clocks.confirm(postgres_url)

        with clocks.process(postgres_url) as writer:
            writer.append([record(0)])
            clocks.go(60)
            writer.append([record(1)])


def test_the_clock_of_this_machine_goes() -> None:
    first, second = StoreClock().unguarded_us(), StoreClock().unguarded_us()

    assert 0 <= second - first < 60_000_000
