"""On a disk that is full publishing raises, loses nothing, and goes on by itself once there is room.

The disk is a file system of 2 MiB in memory where this process may mount one, else SQLite's own
bound of the pages of a file: both are full to it in the same way.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from outbox_rows import event_ids, gapless, producer_seqs
from room_events import chunk, freeze
from small_rooms import small_room, unplugged
from waiting import until

from cryotrail_producers.errors import OutboxError, OutboxFull
from cryotrail_producers.outbox_file import layout as outbox_file
from cryotrail_producers.publisher import Publisher
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.events import Event


@dataclass
class SmallDisk:
    """A disk of 2 MiB, a part of which is taken by something else."""

    folder: Path
    make_room: Callable[[Publisher], None]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode == 0:
        try:
            ballast = folder / "ballast"
            ballast.write_bytes(b"0" * 1_200_000)
            yield SmallDisk(folder, lambda _: ballast.unlink())
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    opened = outbox_file.connect
    connections = []

    def bounded(*arguments: object, **options: object) -> object:
        connection = opened(*arguments, **options)  # type: ignore[arg-type]
        connection.execute("PRAGMA max_page_count = 100")
        connections.append(connection)
        return connection

    monkeypatch.setattr("cryotrail_producers.outbox.connection.connect", bounded)

    def make_room(_: Publisher) -> None:
        for connection in connections:
            connection.execute("PRAGMA max_page_count = 100000")

    yield SmallDisk(folder, make_room)


@pytest.mark.parametrize("make", [freeze, chunk], ids=["clinical", "telemetry"])
def test_a_full_disk_is_told_plainly_and_what_was_numbered_stays(
    disk: SmallDisk, make: Callable[[UUID], Event]
) -> None:
    path, transport = disk.folder / "o.sqlite3", unplugged()
    file = path if make is freeze else disk.folder / "o_telemetry.sqlite3"
    procedure = uuid4()
    with small_room(path, transport) as publisher:
        returned, failure = _until_full(publisher, make, procedure)
        assert not isinstance(failure, OutboxFull), "that is another bound"
        assert "full" in str(failure)
        assert failure.hint is not None
        assert "disk space" in failure.hint
        for _ in range(5):
            with pytest.raises(OutboxError):
                publisher.publish_many([make(procedure) for _ in range(100)])
        with pytest.raises(EventRefused):
            publisher.publish(freeze(UUID(int=0), cycle_no=0))

        disk.make_room(publisher)
        until(lambda: _goes_on(publisher, make(procedure), returned))
        transport.outage = None
        until(lambda: len(transport.records) == len(returned))
    assert event_ids(file) == returned
    assert all(map(gapless, producer_seqs(file).values()))
    assert len(producer_seqs(file)) == 1, "under one producer id throughout"


def _until_full(
    publisher: Publisher, make: Callable[[UUID], Event], procedure: UUID
) -> tuple[list[UUID], OutboxError]:
    returned: list[UUID] = []
    for _ in range(10_000):
        try:
            id_ = publisher.publish(make(procedure))
        except OutboxError as error:
            return returned, error
        assert id_ is not None
        returned.append(id_)
    raise AssertionError("the disk is never full")


def _goes_on(publisher: Publisher, event: Event, returned: list[UUID]) -> bool:
    try:
        id_ = publisher.publish(event)
    except OutboxError:
        return False
    assert id_ is not None
    returned.append(id_)
    return True
