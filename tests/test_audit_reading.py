"""The contract of reading: pages, kinds, one event, counts. On both databases."""

from uuid import UUID

import pytest
from audit_records import Writer, record

from cryotrail_audit.records import (
    ADMINISTRATIVE,
    CONFLICT,
    EVENT,
    QUARANTINED,
    Administrative,
    Counts,
)


@pytest.fixture
def filled(audit_store):
    """A topic (0), 6 events (1-6), a conflict (7), a quarantined record (8), an alarm (9)."""
    writer = Writer(audit_store)
    writer.append(record(offset) for offset in range(6))
    writer.append([record(6, event_id=record(0).event_id)])
    writer.append([record(7, reason="undecodable")], kind=QUARANTINED)
    writer.append([record(1)._replace(kafka_offset=8)], administrative=[Administrative("x", {})])
    return audit_store


def seqs(pages):
    return [[entry.seq for entry in page] for page in pages]


def test_entries_come_in_pages_by_seq(filled):
    assert seqs(filled.entries(batch_rows=4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_entries_begin_after_one_seq_and_end_with_another(filled):
    assert seqs(filled.entries(after_seq=2, through_seq=5)) == [[3, 4, 5]]
    assert seqs(filled.entries(after_seq=9)) == []


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((EVENT,), [[1, 2, 3, 4, 5, 6]]),
        ((CONFLICT,), [[7]]),
        ((QUARANTINED, ADMINISTRATIVE), [[0, 8, 9]]),
        ((EVENT, CONFLICT), [[1, 2, 3, 4, 5, 6, 7]]),
        ((), []),
    ],
)
def test_entries_of_some_kinds_only(filled, kinds, expected):
    assert seqs(filled.entries(kinds=kinds)) == expected


def test_a_reader_sees_what_is_appended_while_it_reads(filled):
    pages = filled.entries(batch_rows=5)
    first = next(pages)
    Writer(filled, owner="recorder-2").append([record(20)])

    rest = [entry.seq for page in pages for entry in page]

    assert [entry.seq for entry in first] + rest == list(range(11))


def test_the_entry_of_an_event_id_is_the_event_and_not_its_conflict(filled):
    entry = filled.entry_of(UUID(bytes=record(0).event_id))

    assert (entry.seq, entry.kind) == (1, EVENT)
    assert entry == next(filled.entries(after_seq=0, batch_rows=1))[0]


def test_an_entry_that_is_no_event_is_found_by_its_id_too(filled):
    quarantined = next(filled.entries(kinds=(QUARANTINED,)))[0]

    assert filled.entry_of(UUID(bytes=quarantined.event_id)) == quarantined
    assert filled.entry_of(UUID(int=12345)) is None


def test_counts_are_by_kind(filled):
    assert filled.counts() == Counts(
        events=6, conflicts=1, quarantined=1, administrative=2, redeliveries=1
    )
