"""A damaged outbox is replaced beside those who use it, also when its replacement is broken off."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Never
from uuid import uuid4

import pytest
from damaged_files import log_of, overwrite
from outbox_rows import event_ids, query
from room_events import SOURCE, entries, entry, freeze
from waiting import until

from cryotrail_producers.errors import OutboxError, OutboxReplaced, RecordRefused
from cryotrail_producers.outbox.drain import OutboxDrain
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.salvage import set_aside
from cryotrail_producers.salvage.set_aside import files_set_aside
from cryotrail_producers.settings import PublisherSettings, SenderSettings
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord, Placement
from cryotrail_schemas.delivery import read_delivery

COUNT = 40


def full_disk(*_: object) -> Never:
    raise OSError(28, "No space left on device")


KILLED_WITHIN = """
import os, pathlib, sys
from cryotrail_producers.outbox.drain import OutboxDrain
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.salvage import set_aside
set_aside.read_salvage = lambda *_: os._exit(9)
OutboxDrain(pathlib.Path(sys.argv[1]), "FULL").waiting(0, 10**6, 10**9)
"""
"""Comes upon the damage, and dies when it has moved the file away."""


@pytest.fixture
def given(tmp_path: Path) -> list[OutboxEntry]:
    """What an outbox accepted. The disk has changed a byte of it since, in the middle of a body."""
    path = tmp_path / "outbox.sqlite3"
    accepted = entries(COUNT)
    with Outbox(path) as outbox:
        outbox.append(accepted)
    overwrite(path, path.read_bytes().index(accepted[7].value) + 12, b"\xff")
    return accepted


def come_upon_it(path: Path) -> None:
    with closing(OutboxDrain(path, "FULL")) as drain, suppress(OutboxReplaced):
        drain.waiting(0, 10**6, 10**9)


def test_nobody_makes_a_new_file_where_a_killed_process_was_to_put_what_it_salvaged(
    tmp_path: Path, given: list[OutboxEntry]
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox:
        ran = subprocess.run([sys.executable, "-c", KILLED_WITHIN, path], check=False, timeout=30)
        assert ran.returncode == 9
        assert not path.exists()

        more = entries(1)
        outbox.append(more)
        assert outbox.status().waiting == COUNT
    kept = {entry.event_id for entry in [*given, *more]} - {given[7].event_id}
    assert set(event_ids(path)) == kept
    assert len(files_set_aside(path)) == 1


@pytest.mark.parametrize("step", ["read_salvage", "write_salvaged"])
def test_a_replacement_that_a_full_disk_broke_off_is_finished_by_whoever_uses_the_outbox_next(
    tmp_path: Path, given: list[OutboxEntry], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as one, Outbox(path) as other:
        monkeypatch.setattr(set_aside, step, full_disk)
        for use in (come_upon_it, come_upon_it, lambda _: other.append(entries(1))):
            with pytest.raises(OutboxError, match="No space left"):
                use(path)
        with pytest.raises(OutboxError, match="No space left"):
            one.status()
        monkeypatch.undo()

        other.append(entries(1))
        assert one.status().waiting == COUNT
        come_upon_it(path)
    assert {entry.event_id for entry in given} - set(event_ids(path)) == {given[7].event_id}


def test_publishing_goes_on_after_somebody_deleted_the_file_and_the_loss_is_said(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox:
        outbox.append(entries(COUNT))
        path.unlink()
        log_of(path).unlink()
        more = entries(1)
        outbox.append(more)
        assert outbox.status().waiting == 1
    assert event_ids(path) == [more[0].event_id]
    assert query(path, "SELECT lost_count, reported FROM loss") == [(None, 0)]


APPENDS_ALL_THE_TIME = """
import pathlib, sys, threading, uuid
from cryotrail_producers.outbox.outbox import Outbox
from room_events import SOURCE, entries, entry, freeze
procedure, stop = uuid.uuid4(), threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
with Outbox(pathlib.Path(sys.argv[1])) as outbox:
    while not stop.is_set():
        outbox.append(entries(1, procedure))
"""


def test_an_outbox_is_opened_while_several_processes_use_it_without_a_pause(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite3"
    Outbox(path).close()
    counts = "SELECT count(*) FROM event GROUP BY procedure_id"
    support = str(Path(__file__).with_name("support"))
    busy = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDS_ALL_THE_TIME, path],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": support},
        )
        for _ in range(4)
    ]
    opened = threading.Event()

    def open_and_close() -> None:
        Outbox(path).close()
        opened.set()

    try:
        until(lambda: [count > 20 for (count,) in query(path, counts)] == [True] * 4)
        threading.Thread(target=open_and_close, daemon=True).start()
        assert opened.wait(10)
    finally:
        for process in busy:
            process.communicate(timeout=30)
    assert [process.returncode for process in busy] == [0] * 4


class RefusesOne(MemoryTransport):
    """Takes every record but one."""

    refused = b"\0"

    def send(self, records: Sequence[OutgoingRecord]) -> Future[list[Placement]]:
        for index, record in enumerate(records):
            if record.value == self.refused:
                result: Future[list[Placement]] = Future()
                result.set_exception(RecordRefused(index, "too large"))
                return result
        return super().send(records)


def test_what_waits_behind_a_refused_event_follows_when_that_is_lost_with_the_file(
    tmp_path: Path,
) -> None:
    path, transport, procedure = tmp_path / "outbox.sqlite3", RefusesOne(), uuid4()
    events = [freeze(procedure, cycle_no) for cycle_no in range(1, 11)]
    transport.refused = entry(events[4]).value
    sender = SenderSettings(back_off_min_s=0.01, back_off_max_s=0.05)
    settings = PublisherSettings(outbox_path=path, source=SOURCE, sender=sender)
    with Publisher(settings, transport) as publisher:
        publisher.publish_many(events)
        until(lambda: publisher.status().problem is not None)
        with closing(sqlite3.connect(path)) as connection:  # so that the file is read, not its log
            until(lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        overwrite(path, path.read_bytes().index(transport.refused) + 12, b"\xff")
        until(lambda: publisher.status().waiting == 0)
    assert len(files_set_aside(path)) == 1
    arrived = {event_id(record) for record in transport.records}
    assert {str(event.header.event_id) for event in events} - arrived == {
        str(events[4].header.event_id)
    }


def event_id(record: OutgoingRecord) -> str | None:
    return read_delivery(record.headers).event_id
