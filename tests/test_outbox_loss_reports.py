"""What a damaged outbox lost is an event of each procedure that it concerns, told once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from damaged_files import overwrite
from outbox_room import Room
from outbox_rows import execute, producer_ids, query
from room_events import chunk, entries, entry, freeze
from waiting import until

from cryotrail_producers.errors import OutboxFull, SealRefused
from cryotrail_producers.outbox.loss_reports import LossReports
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.salvage.set_aside import files_set_aside
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode, parse_frame
from cryotrail_schemas.events import Event, OutboxLossReported, ProcedureSealed


@pytest.fixture
def room(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Room]:
    caplog.set_level(logging.ERROR)
    with ExitStack() as opened:
        yield Room(tmp_path, opened)


def events_on(transport: MemoryTransport) -> list[Event]:
    frames = [parse_frame(record.value) for record in transport.records]
    return [decode(frame.body, catalog().by_fingerprint(frame.fingerprint)) for frame in frames]


def reports_on(transport: MemoryTransport) -> dict[UUID, OutboxLossReported]:
    reports = [event for event in events_on(transport) if isinstance(event, OutboxLossReported)]
    by_procedure = {report.header.procedure_id: report for report in reports}
    assert len(by_procedure) == len(reports)
    return by_procedure


def left_waiting(room: Room, *events: Event) -> None:
    away = MemoryTransport()
    away.outage = "no broker in this test"
    with room.publisher(away) as publisher:
        publisher.publish_many(events)


@pytest.mark.parametrize("file", ["clinical", "telemetry"])
def test_each_procedure_of_a_damaged_file_gets_one_report_and_its_events_are_sent(
    room: Room, file: str
) -> None:
    procedures = [uuid4(), uuid4()]
    given = [freeze(procedure) for procedure in procedures for _ in range(20)]
    given += [chunk(procedure) for procedure in procedures for _ in range(10)]
    left_waiting(room, *given)
    path = room.path if file == "clinical" else room.path.with_name("outbox_telemetry.sqlite3")
    (lost_id,) = producer_ids(path)
    overwrite(path, 0, bytes(100))

    transport = MemoryTransport()
    for _ in range(2):  # the second finds nothing left to report
        with room.publisher(transport) as publisher:
            assert publisher.wait(20).waiting == 0
    reports = reports_on(transport)

    assert reports.keys() == set(procedures)
    for report in reports.values():
        assert report.lost_producer_id == lost_id
        assert (report.salvaged_count, report.lost_count) == (20 if file == "clinical" else 10, 0)
        assert report.header.subject_id == given[0].header.subject_id
    sent = [event.header.event_id for event in events_on(transport)]
    assert {event.header.event_id for event in given} <= set(sent)
    assert len(sent) == len(given) + 2


def test_a_loss_of_nobody_knows_which_procedure_is_told_in_the_next_that_is_published(
    room: Room,
) -> None:
    left_waiting(room, freeze(uuid4()))
    (lost_id,) = producer_ids(room.path)
    room.path.write_bytes(b"nothing of it is left. " * 1000)
    under_way, transport = uuid4(), MemoryTransport()
    publisher = room.publisher(transport)
    assert reports_on(transport) == {}
    publisher.publish(freeze(under_way))
    until(lambda: len(reports_on(transport)) == 1)

    report = reports_on(transport)[under_way]
    assert report.lost_producer_id == lost_id
    assert (report.salvaged_count, report.lost_count) == (0, None)
    assert room.path.name in files_set_aside(room.path)[0].name


def test_a_seal_after_the_damage_still_counts_everything_and_names_the_damaged_producer(
    room: Room,
) -> None:
    procedure, transport = uuid4(), MemoryTransport()
    with room.publisher(transport, grace_s=0.0) as publisher:
        publisher.publish_many([freeze(procedure) for _ in range(5)])
        until(lambda: query(room.path, "SELECT count(*) FROM event") == [(0,)])
    left_waiting(room, freeze(procedure))
    lost_ids = producer_ids(room.path)
    overwrite(room.path, 0, bytes(100))

    with room.publisher(transport) as publisher:
        publisher.seal(procedure)
        assert publisher.wait(20).waiting == 0
    (seal,) = [event for event in events_on(transport) if isinstance(event, ProcedureSealed)]
    assert seal.event_count == 7  # five that were sent and cut, one salvaged, and the report
    assert set(lost_ids) < set(seal.sealed_producer_ids)


def test_a_procedure_that_lost_events_is_not_sealed_short(room: Room) -> None:
    procedure = uuid4()
    left_waiting(room, *[freeze(procedure) for _ in range(100)])
    ((page,),) = query(
        room.path, "SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = 'leaf' LIMIT 1"
    )
    overwrite(room.path, (page - 1) * 4096, bytes(4096))
    publisher = room.publisher(MemoryTransport())
    with pytest.raises(SealRefused, match="lost with a damaged outbox"):
        publisher.seal(procedure)


def note_loss(path: Path) -> None:
    """Of a file that stood there before: nobody knows of which procedure."""
    execute(
        path,
        f"INSERT INTO loss VALUES (x'{'07' * 16}', 'lost-producer',"
        f" {time.time_ns() // 1000}, NULL, NULL, NULL, 0, NULL, 0)",
    )


def told_in(path: Path) -> list[UUID]:
    told = "SELECT procedure_id FROM event WHERE event_type = 'OutboxLossReported'"
    return [UUID(bytes=procedure_id) for (procedure_id,) in query(path, told)]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Outbox, Outbox]]:
    with (
        Outbox(tmp_path / "outbox.sqlite3") as clinical,
        Outbox(tmp_path / "outbox_telemetry.sqlite3") as telemetry,
    ):
        yield clinical, telemetry


@pytest.mark.parametrize("known", ["nothing", "the procedure"])
def test_for_a_loss_that_nobody_can_tell_yet_each_event_is_looked_at_once(
    pair: tuple[Outbox, Outbox], known: str
) -> None:
    under_way, steps = uuid4(), [0]
    for outbox in pair:
        outbox.append(entries(5000))
    note_loss(pair[0].path)
    if known == "the procedure":
        execute(pair[0].path, f"UPDATE loss SET procedure_id = x'{under_way.hex}'")

    def count() -> None:
        steps[0] += 1

    for outbox in pair:
        with outbox.reading() as connection:
            connection.set_progress_handler(count, 1000)
    reports = LossReports(*pair, entry)
    assert reports.report() == []
    assert steps[0] > 10, "this way of counting sees a scan"
    steps[0] = 0
    for _ in range(10):
        assert reports.report() == []
    assert steps[0] == 0
    pair[1].append([entry(chunk(under_way))])
    assert len(reports.report()) == 1
    assert told_in(pair[0].path) == [under_way]
    assert steps[0] == 0


def test_an_event_that_tells_of_a_loss_is_found_again_when_the_report_failed(
    pair: tuple[Outbox, Outbox],
) -> None:
    under_way, full = uuid4(), [True]

    def while_it_is_full(event: Event) -> OutboxEntry:
        if full[0]:
            raise OutboxFull(pair[0].path, "for this test")
        return entry(event)

    note_loss(pair[0].path)
    pair[0].append([entry(freeze(under_way))])
    pair[0].append([entry(freeze(uuid4()))])
    reports = LossReports(*pair, while_it_is_full)
    for _ in range(2):
        with pytest.raises(OutboxFull):
            reports.report()
    full[0] = False
    assert len(reports.report()) == 1
    assert told_in(pair[0].path) == [under_way]


def test_a_loss_is_told_by_an_event_of_the_file_that_took_the_place_of_the_one_looked_through(
    pair: tuple[Outbox, Outbox], tmp_path: Path
) -> None:
    path, under_way = pair[0].path, uuid4()
    pair[0].append(entries(10))
    note_loss(path)
    reports = LossReports(*pair, entry)
    assert reports.report() == []

    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / path.name
    Outbox(new).close()
    note_loss(new)
    for companion in ("-wal", "-shm", ""):
        path.with_name(path.name + companion).rename(tmp_path / f"aside{companion}")
    new.rename(path)
    assert pair[0].append([entry(freeze(under_way))]) == [1]  # ids begin anew
    assert len(reports.report()) == 1
    assert told_in(path) == [under_way]


def test_two_processes_that_open_a_damaged_outbox_at_once_report_its_loss_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox:
        outbox.append([entry(freeze(uuid4())) for _ in range(3)])
    overwrite(path, 0, bytes(100))
    with (
        Outbox(path) as clinical,
        Outbox(tmp_path / "outbox_telemetry.sqlite3") as telemetry,
        Outbox(path) as its_clinical,
    ):
        other = LossReports(its_clinical, telemetry, entry)

        def beaten(event: Event) -> OutboxEntry:
            other.report()  # when this one has found what is to be reported, and not yet reported it
            return entry(event)

        LossReports(clinical, telemetry, beaten).report()
    reports = "SELECT count(*), count(DISTINCT procedure_id) FROM event WHERE event_type = '{}'"
    assert query(path, reports.format("OutboxLossReported")) == [(3, 3)]
