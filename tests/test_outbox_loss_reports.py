"""What a damaged outbox lost is an event of each procedure that it concerns, told once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from damaged_files import overwrite
from outbox_room import Room
from outbox_rows import producer_ids, query
from room_events import chunk, entry, freeze
from waiting import until

from cryotrail_producers.errors import SealRefused
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
