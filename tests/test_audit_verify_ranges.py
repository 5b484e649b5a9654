"""Entries are read in ranges, by several processes: the joints hide nothing, and nothing is missed."""

from contextlib import closing
from itertools import pairwise

import pytest
from audit_records import Writer, filled_store, record
from store_tables import tables_of
from tampering import entries, forge, rebuild

from cryotrail_audit.errors import StoreUnavailable
from cryotrail_audit.evidence import processes as evidence_processes
from cryotrail_audit.evidence import range as evidence_range
from cryotrail_audit.evidence.range import SeqRange, ranges_of
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

ROWS = 900


@pytest.fixture
def in_one_process(monkeypatch):
    """Read all ranges in this process, which is started already."""
    monkeypatch.setattr(evidence_processes, "_AT_LEAST", 1000)


@pytest.fixture
def url(store_url, monkeypatch):
    """A store of four ranges of 256 entries, in batches that lie across their ends."""
    monkeypatch.setattr(evidence_range, "RANGE", 256)
    with closing(open_store(store_url)) as store:
        writer = Writer(store)
        for first in range(0, ROWS, 100):
            writer.append(record(first + row) for row in range(100))
    return store_url


def test_processes_give_what_one_process_gives(url, monkeypatch):
    by_processes = verify(url)
    monkeypatch.setattr(evidence_processes, "_AT_LEAST", 1000)

    assert by_processes == verify(url)
    assert (by_processes.result, by_processes.size) == ("intact", ROWS + 1)


@pytest.mark.parametrize("seq", [0, 255, 256, 257, 511, 512, 900])
@pytest.mark.usefixtures("in_one_process")
def test_a_change_next_to_the_end_of_a_range_is_named(url, seq):
    with tables_of(url) as tables:
        tables.drop_guards()
        tables.execute(f"update entry set occurred_us = 7 where seq = {seq}")

    found = verify(url)

    assert (found.result, found.first_broken_seq, found.size) == ("broken", seq, seq)


@pytest.mark.parametrize("seq", [255, 256, 511, 900])
@pytest.mark.usefixtures("in_one_process")
def test_a_missing_entry_next_to_the_end_of_a_range_is_named(url, seq):
    with tables_of(url) as tables:
        tables.drop_guards()
        tables.execute(f"delete from entry where seq = {seq}")

    found = verify(url)

    assert (found.result, found.first_broken_seq) == ("broken", seq)
    assert found.reason.startswith(f"entry {seq} is missing")
    assert ("all that followed" in found.reason) == (seq == 900)


@pytest.mark.parametrize(("column", "value"), [("procedure_entry_no", 1000), ("recorded_us", 1)])
@pytest.mark.usefixtures("in_one_process")
def test_what_one_range_cannot_know_is_found_where_they_are_joined(url, column, value):
    """The first entry of its procedure, and of its time, in a range: only the joint can tell."""
    with tables_of(url) as tables:
        tables.drop_guards()
        forge(tables, 256, **{column: value})

    found = verify(url)

    assert (found.result, found.first_broken_seq) == ("broken", 256)


def test_the_earliest_break_is_named_whatever_process_finds_it_first(url):
    with tables_of(url) as tables:
        tables.drop_guards()
        for seq in (890, 600, 300, 120):
            tables.execute(f"update entry set occurred_us = 7 where seq = {seq}")

    assert verify(url).first_broken_seq == 120


def test_entries_that_come_while_processes_read_are_in_no_range(url):
    """The snapshot is of one size; SQLite's processes, which begin later, are asked for no more."""
    appended = []

    def append_once(_count):
        if not appended:
            with closing(open_store(url)) as store:
                appended.append(Writer(store).append(record(ROWS + row) for row in range(300)))

    found = verify(url, append_once)

    assert (found.result, found.size) == ("intact", ROWS + 1)
    assert appended
    assert verify(url).size == ROWS + 301


def test_a_process_that_ends_is_an_error_and_no_verdict(url, monkeypatch):
    def killed(self, *_arguments):
        self._process.kill()
        self._process.wait()

    monkeypatch.setattr(evidence_processes._Worker, "ask", killed)

    with pytest.raises(StoreUnavailable, match="has ended before it was done"):
        verify(url)


def test_entries_outside_the_log_are_found(store_url):
    filled_store(store_url)
    for seq in (-1, 17, 10**12):
        with tables_of(store_url) as tables:
            tables.drop_guards()
            forge(tables, 16, seq=seq)

            assert verify(store_url).result == "broken"
            columns = entries(tables, f"seq = {seq}")[0]
            assert columns.seq == seq
            forge(tables, seq, seq=16)
    assert verify(store_url).result == "intact"


def test_a_log_that_was_rebuilt_agrees_with_itself(store_url):
    """The tests' own forger is good enough to be trusted with what is not found."""
    filled_store(store_url)
    with tables_of(store_url) as tables:
        tables.drop_guards()
        before = verify(store_url)
        rebuild(tables, entries(tables))

    assert verify(store_url) == before


@pytest.mark.parametrize(
    ("first", "end"), [(0, 0), (0, 1), (0, 256), (0, 65536), (0, 200_000), (512, 70_000)]
)
def test_ranges_follow_each_other_and_end_where_tiles_do(first, end):
    ranges = list(ranges_of(first, end))

    assert all(one.end == other.first for one, other in pairwise(ranges))
    assert (ranges[0].first, ranges[-1].end) == (first, end) if ranges else first == end
    assert all(one.end - one.first <= 65536 for one in ranges)
    cut = end - end % 256
    assert cut in (first, *(one.end for one in ranges))
    assert SeqRange(first, first) not in ranges
