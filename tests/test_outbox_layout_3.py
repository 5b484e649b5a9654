"""Layout 3 counts what waits and carries trace context; files of earlier layouts become it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from earlier_layouts import as_layout
from outbox_rows import execute, query
from room_events import SOURCE, entries, freeze
from waiting import until

from cryotrail_producers.encoding import outbox_entry
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.outbox.drain import Acknowledged, OutboxDrain
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.file_lock import FileLock
from cryotrail_producers.outbox_file.layout import FILE_VERSION
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

COUNTED = "SELECT waiting_rows, waiting_bytes FROM outbox"
RECOUNTED = (
    "SELECT count(*), coalesce(sum(length(value) + 256), 0) FROM event"
    " WHERE acknowledged_us IS NULL"
)


def _is_right(path: Path, waiting_rows: int) -> None:
    (counted,) = query(path, COUNTED)
    assert [counted] == query(path, RECOUNTED)
    assert counted[0] == waiting_rows


def test_what_waits_is_counted_whatever_becomes_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox, closing(OutboxDrain(path, "FULL")) as drain:
        _is_right(path, 0)
        outbox.append(entries(5))
        outbox.append(entries(3))
        _is_right(path, 8)
        drain.acknowledge([Acknowledged(id_, 0, id_) for id_ in (1, 2, 3)])
        drain.acknowledge([Acknowledged(3, 0, 30)])
        _is_right(path, 5)
        drain.resend_kept()
        _is_right(path, 8)
        drain.acknowledge([Acknowledged(id_, 0, id_) for id_ in (1, 2)])
        drain.cut(2**60)
        assert query(path, "SELECT count(*) FROM event") == [(6,)]
        _is_right(path, 6)
        execute(path, "DELETE FROM event WHERE id = 5")
        _is_right(path, 5)


@pytest.mark.parametrize("layout", range(1, FILE_VERSION))
def test_an_earlier_layout_gets_the_counts_of_its_events(tmp_path: Path, layout: int) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox, closing(OutboxDrain(path, "FULL")) as drain:
        outbox.append(entries(5))
        drain.acknowledge([Acknowledged(1, 0, 0)])
    as_layout(path, layout)

    with Outbox(path):
        _is_right(path, 4)
    assert query(path, "PRAGMA user_version") == [(FILE_VERSION,)]


def test_an_earlier_program_that_has_it_open_keeps_its_layout(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    Outbox(path).close()
    as_layout(path, 2)
    with closing(FileLock(path.with_name(f"{path.name}.users"))) as earlier_program:
        earlier_program.share()
        with pytest.raises(OutboxError, match="an earlier version of cryotrail has it open"):
            Outbox(path)
        assert query(path, "PRAGMA user_version") == [(2,)]


def test_trace_context_is_sent_as_its_header(tmp_path: Path) -> None:
    transport, settings = MemoryTransport(), PublisherSettings(tmp_path / "o.sqlite3", SOURCE)
    with Publisher(settings, transport) as publisher:
        publisher.publish(freeze(uuid4()), traceparent=TRACEPARENT)
        publisher.publish(freeze(uuid4()))
        until(lambda: len(transport.records) == 2)
    sent = {dict(record.headers).get("traceparent") for record in transport.records}
    assert sent == {TRACEPARENT.encode(), None}


def test_a_row_keeps_its_trace_context(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox:
        outbox.append([outbox_entry(freeze(uuid4()), SOURCE, TRACEPARENT)])
    assert query(path, "SELECT traceparent FROM event") == [(TRACEPARENT,)]
