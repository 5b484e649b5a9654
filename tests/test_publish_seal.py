"""A seal counts everything that this outbox ever published of a procedure, and is made once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from earlier_layouts import as_layout
from outbox_rows import execute, producer_ids, query
from room_events import chunk, freeze, header
from signing_rooms import key, room
from waiting import until

from cryotrail_producers.errors import OutboxError, SealRefused
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.file_lock import FileLock
from cryotrail_producers.outbox_file.layout import FILE_VERSION
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.seal import SealHeader
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode, encode, parse_frame
from cryotrail_schemas.delivery import Delivery, read_delivery
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.events import DataOrigin, Event, ProcedureSealed
from cryotrail_schemas.merkle import leaf_hash, root


def seals_in(transport: MemoryTransport) -> list[ProcedureSealed]:
    """The seals that arrived, decoded."""
    found = []
    for record in transport.records:
        frame = parse_frame(record.value)
        assert frame.fingerprint is not None
        event_type = catalog().by_fingerprint(frame.fingerprint)
        assert event_type is not None
        if event_type.name == "ProcedureSealed":
            event = decode(frame.body, event_type)
            assert isinstance(event, ProcedureSealed)
            found.append(event)
    return found


def root_of(events: list[Event]) -> bytes:
    ordered = sorted(events, key=lambda event: event.header.event_id)
    return root(leaf_hash(sha256(encode(event)).digest()) for event in ordered)


def day(procedure: UUID, events: int = 3, chunks: int = 2) -> list[Event]:
    return [freeze(procedure, n + 1) for n in range(events)] + [
        chunk(procedure) for _ in range(chunks)
    ]


def arrived(publisher: Publisher) -> None:
    until(lambda: publisher.status().waiting == 0)


def test_it_counts_and_hashes_clinical_events_and_telemetry(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    published = day(procedure)
    with room(path, transport) as publisher:
        publisher.publish_many(published + day(uuid4()))
        seal_id = publisher.seal(procedure)
        arrived(publisher)

    (sealed,) = seals_in(transport)
    telemetry = tmp_path / "outbox_telemetry.sqlite3"
    assert sealed.header.event_id == seal_id
    assert (sealed.event_count, sealed.telemetry_chunk_count) == (3, 2)
    assert sealed.content_root == root_of(published)
    assert set(sealed.sealed_producer_ids) == {*producer_ids(path), *producer_ids(telemetry)}
    assert sealed.header.subject_id == published[0].header.subject_id
    assert sealed.header.data_origin is DataOrigin.SYNTHETIC


def test_it_counts_what_was_acknowledged_and_forgotten_long_ago(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    published = day(procedure)
    telemetry = tmp_path / "outbox_telemetry.sqlite3"
    with room(path, transport, grace_s=0) as publisher:
        publisher.publish_many(published)
        arrived(publisher)
        for file in (path, telemetry):
            until(lambda file=file: query(file, "SELECT count(*) FROM event") == [(0,)])
        publisher.seal(procedure)
        arrived(publisher)

    (sealed,) = seals_in(transport)
    assert sealed.content_root == root_of(published)
    assert sealed.header.subject_id == published[0].header.subject_id
    for file in (path, telemetry):
        assert query(file, "SELECT count(*) FROM content") == [(0,)], "kept only until the seal"


def test_it_names_every_producer_id_and_counts_an_event_once(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    first, second = freeze(procedure, 1), freeze(procedure, 2)
    with room(path, transport) as publisher:
        publisher.publish(first)
    execute(path, "UPDATE outbox SET clean_mark = 'unclean'")
    with room(path, transport) as publisher:
        publisher.publish_many([first, second])
        publisher.seal(procedure)
        arrived(publisher)

    (sealed,) = seals_in(transport)
    assert sealed.sealed_producer_ids == tuple(producer_ids(path))
    assert len(sealed.sealed_producer_ids) == 2
    assert (sealed.event_count, sealed.content_root) == (2, root_of([first, second]))


def test_sealing_again_gives_the_same_seal_and_nothing_more(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    with room(path, transport) as publisher:
        publisher.publish_many(day(procedure))
        seal_id = publisher.seal(procedure)
        publisher.publish(freeze(procedure, 9))
        assert publisher.seal(procedure) == seal_id
    with room(path, transport) as publisher:
        assert publisher.seal(procedure) == seal_id
        arrived(publisher)

    assert len(seals_in(transport)) == 1


def test_threads_that_seal_together_make_one_seal(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    with room(path, transport) as publisher, ThreadPoolExecutor(8) as pool:
        publisher.publish_many(day(procedure))
        seal_ids = list(pool.map(lambda _: publisher.seal(procedure), range(16)))
        arrived(publisher)

    assert len(set(seal_ids)) == 1
    assert len(seals_in(transport)) == 1


def test_what_is_published_while_others_seal_is_either_counted_or_after_the_seal(
    tmp_path: Path,
) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    published = [*day(procedure, 40, 40)]
    with room(path, transport) as publisher, ThreadPoolExecutor(4) as pool:
        publisher.publish_many(published[:1] + published[-1:])
        jobs = [pool.submit(publisher.publish, event) for event in published[1:-1]]
        publisher.seal(procedure)
        for job in jobs:
            job.result()
        arrived(publisher)

    (sealed,) = seals_in(transport)
    by_id = {str(event.header.event_id): event for event in published}
    covered = [
        by_id[delivery.event_id or ""]
        for delivery in map(_delivery, transport.records)
        if delivery.producer_id in sealed.sealed_producer_ids and delivery.event_id in by_id
    ]
    assert sealed.event_count + sealed.telemetry_chunk_count == len(covered)
    assert sealed.content_root == root_of(covered)


def test_a_procedure_that_this_outbox_never_published_is_refused(tmp_path: Path) -> None:
    with room(tmp_path / "outbox.sqlite3") as publisher:
        publisher.publish(freeze(uuid4()))
        with pytest.raises(SealRefused, match="no events of procedure"):
            publisher.seal(uuid4())


def test_a_header_that_no_event_can_have_is_refused_and_a_later_call_counts_anew(
    tmp_path: Path,
) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    published = day(procedure)
    with room(path, transport) as publisher:
        publisher.publish_many(published)
        with pytest.raises(EventRefused, match="occurred_at"):
            publisher.seal(procedure, SealHeader(occurred_at=datetime(2026, 11, 22)))
        late = chunk(procedure)
        publisher.publish(late)
        publisher.seal(procedure)
        arrived(publisher)

    (sealed,) = seals_in(transport)
    assert sealed.content_root == root_of([*published, late])
    assert sealed.telemetry_chunk_count == 3


def test_events_before_seals_were_kept_cannot_be_sealed(tmp_path: Path) -> None:
    path, procedure = tmp_path / "outbox.sqlite3", uuid4()
    with room(path) as publisher:
        publisher.publish_many(day(procedure))
    execute(path, "DELETE FROM event WHERE id = 1")
    with (
        room(path) as publisher,
        pytest.raises(SealRefused, match=r"1 events .* cannot be counted"),
    ):
        publisher.seal(procedure)


def test_a_seal_that_the_publisher_made_itself_is_the_seal(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    own = ProcedureSealed(
        header=header(procedure),
        sealed_producer_ids=(),
        event_count=0,
        telemetry_chunk_count=0,
        content_root=root_of([]),
    )
    with room(path, transport, key()) as publisher:
        publisher.publish_many([freeze(procedure), own, freeze(procedure, 2), chunk(procedure)])
        assert publisher.seal(procedure) == own.header.event_id
        arrived(publisher)

    assert [_delivery(record).signature is not None for record in transport.records] == [
        False, True, True, True,
    ]  # fmt: skip
    assert len(producer_ids(path)) == 1, "a seal that names no producer needs no new one"


def test_what_follows_a_seal_is_signed_and_numbered_under_another_producer_id(
    tmp_path: Path,
) -> None:
    path, transport, procedure, other = tmp_path / "o.sqlite3", MemoryTransport(), uuid4(), uuid4()
    with room(path, transport, key()) as publisher:
        publisher.publish_many([freeze(procedure), freeze(other), chunk(procedure)])
        publisher.seal(procedure)
        publisher.publish_many([freeze(procedure, 2), chunk(procedure), freeze(other, 2)])
        arrived(publisher)

    (sealed,) = seals_in(transport)
    named = sealed.sealed_producer_ids
    got = {
        (str(record.key, "ascii"), delivery.event_type, delivery.producer_id in named): (
            delivery.signature is not None
        )
        for record in transport.records
        if (delivery := _delivery(record)) and delivery.event_type != "ProcedureSealed"
    }
    assert got == {
        (str(procedure), "FreezeStarted", True): False,
        (str(procedure), "ProbeTelemetryChunk", True): False,
        (str(procedure), "FreezeStarted", False): True,
        (str(procedure), "ProbeTelemetryChunk", False): True,
        (str(other), "FreezeStarted", True): False,
        (str(other), "FreezeStarted", False): False,
    }
    for file in (path, tmp_path / "o_telemetry.sqlite3"):
        assert len(producer_ids(file)) == 2, "one change a seal, not one an event"


def test_a_process_that_dies_between_the_two_files_leaves_no_seal(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    published = day(procedure)
    with room(path, transport) as publisher:
        publisher.publish_many(published)
        arrived(publisher)
        execute(
            path,
            "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no room'); END",
        )
        with pytest.raises(Exception, match="no room"):
            publisher.seal(procedure)
        execute(path, "DROP TRIGGER full")
        publisher.seal(procedure)
        arrived(publisher)

    (sealed,) = seals_in(transport)
    assert sealed.content_root == root_of(published)


def test_an_outbox_of_the_first_layout_is_brought_up_to_date_with_all_its_events(
    tmp_path: Path,
) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    published = [freeze(procedure, n) for n in range(1, 4)]
    transport.outage = "no broker"
    with room(path, transport) as publisher:
        publisher.publish_many(published)
    as_layout(path, 1)

    transport.outage = None
    with room(path, transport, key()) as publisher:
        publisher.seal(procedure)
        arrived(publisher)

    assert [str(e.header.event_id) for e in published] == [
        _delivery(record).event_id for record in transport.records[:3]
    ]
    (sealed,) = seals_in(transport)
    assert sealed.content_root == root_of(list(published))
    assert len(producer_ids(path)) == 1, "its numbers go on"
    assert query(path, "PRAGMA user_version") == [(FILE_VERSION,)]


def test_an_older_layout_that_somebody_has_open_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    Outbox(path).close()
    as_layout(path, 1)
    older_program = FileLock(path.with_name(f"{path.name}.users"))
    older_program.share()

    with pytest.raises(OutboxError, match="an earlier version of cryotrail has it open"):
        Outbox(path)

    assert query(path, "PRAGMA user_version") == [(1,)]
    older_program.close()
    Outbox(path).close()
    assert query(path, "PRAGMA user_version") == [(FILE_VERSION,)]


def test_after_a_fork_nothing_is_sealed_or_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    procedure = uuid4()
    with room(tmp_path / "outbox.sqlite3", MemoryTransport()) as publisher:
        publisher.publish_many(day(procedure))
        with monkeypatch.context() as forked:
            forked.setattr(os, "getpid", lambda: -1)
            with pytest.raises(OutboxError, match="before a fork"):
                publisher.seal(procedure)
            with pytest.raises(OutboxError, match="before a fork"):
                publisher.count_refused(1)
        publisher.seal(procedure)


def test_sealing_again_ends_what_a_crash_left_open_in_the_telemetry_file(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", MemoryTransport(), uuid4()
    telemetry = tmp_path / "outbox_telemetry.sqlite3"
    with room(path, transport) as publisher:
        publisher.publish_many(day(procedure))
        seal_id = publisher.seal(procedure)
        execute(telemetry, "UPDATE sealed SET seal_id = NULL")  # as if it had ended before that
        assert publisher.seal(procedure) == seal_id

    assert query(telemetry, "SELECT seal_id FROM sealed") == [(seal_id.bytes,)]


def _delivery(record: OutgoingRecord) -> Delivery:
    return read_delivery(record.headers)
