"""The sender's side of an outbox file: what waits, is acknowledged, comes back, is forgotten."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from outbox_rows import event_ids, producer_ids, query
from room_events import SOURCE, chunk, entries, entry

from cryotrail_producers.outbox.drain import Acknowledged, OutboxDrain
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_schemas.topics import PROCEDURE_EVENTS

NO_LIMIT = 10**9


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite3") as outbox:
        yield outbox


@pytest.fixture
def drain(outbox: Outbox) -> Iterator[OutboxDrain]:
    with closing(OutboxDrain(outbox.path, outbox.synchronous)) as drain:
        yield drain


def waiting_ids(drain: OutboxDrain, after_id: int = 0) -> list[int]:
    return [row.id for row in drain.waiting(after_id, NO_LIMIT, NO_LIMIT)]


def test_a_waiting_row_has_all_that_its_record_needs(outbox: Outbox, drain: OutboxDrain) -> None:
    given = entries(1)[0]
    outbox.append([given])
    (row,) = drain.waiting(0, NO_LIMIT, NO_LIMIT)
    assert row == (
        1,
        given.event_id,
        "FreezeStarted",
        given.procedure_id,
        given.occurred_us,
        PROCEDURE_EVENTS,
        SOURCE,
        producer_ids(outbox.path)[0],
        1,
        1,
        given.value,
        None,
        None,
        None,
    )


def test_rows_are_read_in_order_within_limits(outbox: Outbox, drain: OutboxDrain) -> None:
    outbox.append(entries(5))
    size = len(drain.waiting(0, 1, NO_LIMIT)[0].value)
    assert [row.id for row in drain.waiting(0, 3, NO_LIMIT)] == [1, 2, 3]
    assert waiting_ids(drain, after_id=3) == [4, 5]
    assert [row.id for row in drain.waiting(0, NO_LIMIT, 2 * size)] == [1, 2]
    assert [row.id for row in drain.waiting(0, NO_LIMIT, 1)] == [1]


def test_acknowledged_rows_no_longer_wait_and_their_offsets_are_known(
    outbox: Outbox, drain: OutboxDrain
) -> None:
    outbox.append(entries(4))
    waiting_event_ids = [row.event_id for row in drain.waiting(0, NO_LIMIT, NO_LIMIT)]
    drain.acknowledge([Acknowledged(1, part=3, offset=7), Acknowledged(3, part=3, offset=8)])
    assert waiting_ids(drain) == [2, 4]
    third = waiting_event_ids[2]
    assert drain.last_acknowledged() == {(PROCEDURE_EVENTS, 3): (8, third)}
    assert (outbox.status().waiting, outbox.status().sent) == (2, 2)


def test_what_is_kept_can_wait_again(outbox: Outbox, drain: OutboxDrain) -> None:
    outbox.append(entries(3))
    drain.acknowledge([Acknowledged(1, 0, 0), Acknowledged(2, 0, 1)])
    assert drain.resend_kept() == [1, 2]
    assert waiting_ids(drain) == [1, 2, 3]
    assert drain.last_acknowledged() == {}


def test_only_acknowledged_rows_are_cut_and_ids_are_not_given_again(
    outbox: Outbox, drain: OutboxDrain
) -> None:
    outbox.append(entries(3))
    drain.acknowledge([Acknowledged(2, 0, 0), Acknowledged(3, 0, 1)])
    drain.cut(acknowledged_before_us=0)
    assert query(outbox.path, "SELECT id FROM event") == [(1,), (2,), (3,)]
    drain.cut(time.time_ns() // 1000 + 1)
    assert query(outbox.path, "SELECT id FROM event") == [(1,)]
    assert list(outbox.append(entries(1))) == [4]
    assert waiting_ids(drain) == [1, 4]
    assert outbox.status().sent == 2


def test_a_file_that_grew_gives_its_space_back(outbox: Outbox, drain: OutboxDrain) -> None:
    large = [given._replace(value=bytes(20_000)) for given in entries(1000)]
    outbox.append(large)
    before = query(outbox.path, "PRAGMA page_count")[0][0]
    drain.acknowledge([Acknowledged(id_, 0, id_) for id_ in range(1, 1001)])
    drain.cut(time.time_ns() // 1000 + 1)
    for _ in range(10):
        drain.cut(0)
    assert query(outbox.path, "PRAGMA page_count")[0][0] < before / 2


def test_a_log_that_grew_beside_a_long_reader_shrinks_when_he_is_gone(outbox: Outbox) -> None:
    log = outbox.path.with_name(f"{outbox.path.name}-wal")
    outbox.append(entries(1))
    with closing(sqlite3.connect(outbox.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM event").fetchone() == (1,)
        for _ in range(12):
            outbox.append([entries(1)[0]._replace(value=bytes(2_000_000))])
        assert log.stat().st_size > 20_000_000
        reader.execute("ROLLBACK")
        for _ in range(3):
            outbox.append(entries(1))
        assert log.stat().st_size <= 9_000_000


def test_telemetry_waits_until_it_is_synced(tmp_path: Path) -> None:
    with (
        Outbox(tmp_path / "telemetry.sqlite3", "NORMAL") as outbox,
        closing(OutboxDrain(outbox.path, outbox.synchronous)) as drain,
    ):
        outbox.append([entry(chunk(uuid4())) for _ in range(2)])
        assert waiting_ids(drain) == []
        outbox.sync()
        outbox.append([entry(chunk(uuid4()))])
        assert waiting_ids(drain) == [1, 2]
        outbox.sync()
        assert waiting_ids(drain) == [1, 2, 3]


def test_a_power_cut_takes_no_telemetry_that_was_sent(tmp_path: Path) -> None:
    path, after = tmp_path / "telemetry.sqlite3", tmp_path / "after.sqlite3"
    log, log_after = tmp_path / "telemetry.sqlite3-wal", tmp_path / "after.sqlite3-wal"
    with (
        Outbox(path, "NORMAL") as outbox,
        closing(OutboxDrain(path, outbox.synchronous)) as drain,
    ):
        outbox.append([entry(chunk(uuid4())) for _ in range(2)])
        outbox.sync()
        on_the_disk = log.stat().st_size
        outbox.append([entry(chunk(uuid4())) for _ in range(2)])
        sent = {row.event_id for row in drain.waiting(0, NO_LIMIT, NO_LIMIT)}
        # The file as it is after the cut: what the log got since the sync never reached the disk.
        shutil.copy(path, after)
        log_after.write_bytes(log.read_bytes()[:on_the_disk])
    assert len(event_ids(path)) == 4
    assert sent == set(event_ids(after))
