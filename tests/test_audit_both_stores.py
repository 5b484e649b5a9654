"""The same records give the same log on SQLite and on PostgreSQL, the store's own clock apart."""

from contextlib import closing

import pytest
from audit_records import Writer, record

from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify


def fill(store):
    writer = Writer(store)
    yield writer.append(record(offset) for offset in range(40))
    yield writer.append([record(40), record(3)._replace(kafka_offset=41)])
    yield writer.append([record(42, event_id=record(5).event_id)])
    yield writer.append(
        [
            record(43, reason="undecodable", raw=b"\x00\xff", event_type=None, occurred_us=None),
            record(44, reason="empty_value", raw=None, procedure_id=None, kafka_key=None),
        ],
        kind=QUARANTINED,
    )
    yield writer.append([record(0, incarnation=1, event_id=b"n" * 16, producer_id="Gerät")])


@pytest.fixture
def both(sqlite_url, postgres_url):
    filled = {}
    for url in (sqlite_url, postgres_url):
        with closing(open_store(url)) as store:
            outcomes = [outcome._replace(root=b"") for outcome in fill(store)]
            entries = [entry for rows in store.entries(after_seq=0) for entry in rows]
            filled[url] = (
                outcomes,
                [entry._replace(recorded_us=0, leaf_hash=b"") for entry in entries],
                store.counts(),
                store.position("cryotrail.procedure-events", 0),
                store.topics(),
            )
    return filled


def test_outcomes_entries_counts_and_positions_are_equal(both):
    sqlite, postgresql = both.values()

    assert sqlite == postgresql


def test_both_verify(both):
    assert {verify(url).result for url in both} == {"intact"}


def test_uuids_and_bytes_are_bytes_on_both(both):
    for _, entries, *_ in both.values():
        assert {type(entry.event_id) for entry in entries} == {bytes}
        assert {type(entry.procedure_id) for entry in entries} == {bytes, type(None)}
        assert {type(entry.raw) for entry in entries} == {bytes, type(None)}
