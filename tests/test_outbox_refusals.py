"""What an outbox does not take: events too large, files that are not its own, forked processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from outbox_rows import event_ids, execute, producer_seqs, query
from room_events import SOURCE, entries, freeze

from cryotrail_producers.encoding import VALUE_LIMIT_BYTES, outbox_entry
from cryotrail_producers.errors import EventTooLarge, OutboxError, PublisherSettingsRefused
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES

FORKED = """
import os, sys
from pathlib import Path
from room_events import entries
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.outbox.outbox import Outbox

with Outbox(Path(sys.argv[1])) as outbox:
    if os.fork() == 0:
        try:
            outbox.append(entries(1))
        except OutboxError as error:
            print(error, flush=True)
        os._exit(0)
    os.wait()
"""


def test_an_event_that_no_record_can_hold_is_refused_before_it_is_numbered(tmp_path: Path) -> None:
    large = replace(freeze(uuid4()), probe_id="1" * MAX_MESSAGE_BYTES)
    with _publisher(tmp_path) as publisher:
        publisher.publish(freeze(uuid4()))
        with pytest.raises(EventTooLarge, match=f"at most {VALUE_LIMIT_BYTES}"):
            publisher.publish(large)
        publisher.publish(freeze(uuid4()))
        assert publisher.status().refused == 1

    assert producer_seqs(tmp_path / "outbox.sqlite3") == {1: [1, 2]}


def test_an_event_of_the_largest_size_is_accepted() -> None:
    event = freeze(uuid4())
    room = VALUE_LIMIT_BYTES - len(outbox_entry(event, SOURCE).value)
    # The length of a longer text takes two more bytes.
    largest = replace(event, probe_id=event.probe_id + "1" * (room - 2))
    assert len(outbox_entry(largest, SOURCE).value) == VALUE_LIMIT_BYTES


def test_a_refused_event_leaves_those_before_it_durable(tmp_path: Path) -> None:
    good = [freeze(uuid4()) for _ in range(3)]
    bad = replace(freeze(uuid4()), cycle_no=0)
    with (
        _publisher(tmp_path) as publisher,
        pytest.raises(EventRefused, match="cycle_no"),
    ):
        publisher.publish_many([*good, bad, freeze(uuid4())])

    ids = [event.header.event_id for event in good]
    assert event_ids(tmp_path / "outbox.sqlite3") == ids


@pytest.mark.parametrize("source", ["", "urn:" + "x" * 300])
def test_a_source_that_no_header_should_carry_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(PublisherSettingsRefused, match="1 to 256 bytes"):
        Publisher(PublisherSettings(tmp_path / "outbox.sqlite3", source), MemoryTransport())


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    path.write_text("a letter" * 100)
    with pytest.raises(OutboxError, match=r"outbox\.sqlite3: file is not a database"):
        Outbox(path)
    assert path.read_text() == "a letter" * 100


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE patient (name)")
    with pytest.raises(OutboxError, match="it is another SQLite file"):
        Outbox(path)
    assert query(path, "SELECT name FROM sqlite_master") == [("patient",)]
    assert query(path, "PRAGMA journal_mode") == [("delete",)]
    locks = {f"{path.name}.{lock}" for lock in ("door", "place", "users")}
    assert {found.name for found in tmp_path.iterdir()} == {path.name, *locks}


def test_an_outbox_of_a_later_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path):
        pass
    execute(path, "PRAGMA user_version = 99")
    with pytest.raises(OutboxError, match="layout is version 99, this cryotrail knows"):
        Outbox(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutboxError, match=r"file/outbox\.sqlite3"):
        Outbox(tmp_path / "file" / "outbox.sqlite3")


def test_an_outbox_is_not_used_by_a_forked_process(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path / "outbox.sqlite3")],
        env={"PYTHONPATH": str(Path(__file__).parent / "support")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "it was opened before a fork" in ended.stdout


def test_an_outbox_is_not_for_everybody_to_read(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite3") as outbox:
        outbox.append(entries(1))
        for file in tmp_path.iterdir():
            assert file.stat().st_mode & 0o007 == 0, file.name


def _publisher(folder: Path) -> Publisher:
    return Publisher(PublisherSettings(folder / "outbox.sqlite3", SOURCE), MemoryTransport())
