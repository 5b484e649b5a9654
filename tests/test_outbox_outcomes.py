"""A call that a failing disk ends is told what became of its own events, and of no others."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from outbox_rows import event_ids
from room_events import SOURCE, freeze, header
from small_rooms import unplugged

from cryotrail_producers.errors import OutboxError
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_schemas.events import ProcedureSealed
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS

THREADS = 4
ROUNDS = 5
SETTINGS = PublisherSettings(outbox_path=Path(), source=SOURCE, group_events=5)


def test_calls_that_share_a_failed_commit_are_told_of_their_own_events_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Publisher(replace(SETTINGS, outbox_path=path), unplugged()) as publisher:
        outbox = publisher._outboxes.by_topic[PROCEDURE_EVENTS]
        connection = outbox._appending.within_opening()
        for _ in range(ROUNDS):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 20}")
            told = publish_from_several_threads(publisher)
            durable = set(event_ids(path))
            assert len(told) == THREADS
            for given, outcomes in told:
                assert outcomes == [id_ for id_ in given if id_ in durable]
        connection.execute("PRAGMA max_page_count = 100000")


def test_clinical_events_do_not_ask_for_the_telemetry_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Publisher(
        replace(SETTINGS, outbox_path=tmp_path / "outbox.sqlite3"), unplugged()
    ) as publisher:
        telemetry = publisher._outboxes.by_topic[PROBE_TELEMETRY]
        monkeypatch.setattr(telemetry, "has_room", fails)
        events = [freeze(uuid4()) for _ in range(3)]
        assert publisher.publish_many(events) == [event.header.event_id for event in events]


def test_a_seal_that_could_not_be_noted_in_both_files_is_told_as_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Publisher(replace(SETTINGS, outbox_path=path), unplugged()) as publisher:
        procedure = uuid4()
        event = freeze(procedure)
        seal = ProcedureSealed(
            header=header(procedure),
            sealed_producer_ids=("outbox",),
            event_count=1,
            telemetry_chunk_count=0,
            content_root=bytes(32),
        )
        telemetry = publisher._outboxes.by_topic[PROBE_TELEMETRY]
        monkeypatch.setattr(telemetry, "settle_seal", fails)
        with pytest.raises(OutboxError) as refused:
            publisher.publish_many([event, seal])
    assert list(refused.value.outcomes) == event_ids(path)


def fails(*_: object) -> None:
    raise OutboxError(Path("telemetry"), "write", "the disk is gone")


def publish_from_several_threads(
    publisher: Publisher,
) -> list[tuple[list[UUID], list[UUID | None]]]:
    """What each thread gave, and was told, when the disk was full."""
    told = []
    start = threading.Barrier(THREADS)

    def publish() -> None:
        procedure = uuid4()
        events = [freeze(procedure) for _ in range(2000)]
        start.wait()
        try:
            publisher.publish_many(events)
        except OutboxError as error:
            told.append(([event.header.event_id for event in events], list(error.outcomes)))

    threads = [threading.Thread(target=publish) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told
