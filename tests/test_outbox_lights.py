"""`on_status` drives the lights of an OR system: told on change, from a thread of the publisher."""

from __future__ import annotations

import logging
import re
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from outbox_rows import query
from room_events import SOURCE, chunk, freeze
from small_rooms import CHUNK_BYTES, EVENT_BYTES, small_room, unplugged
from waiting import until

from cryotrail_producers.errors import OutboxFull
from cryotrail_producers.outbox.status import OutboxStatus
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.events import Channel


def test_waiting_sent_refused_and_the_reason_are_told_as_they_change(tmp_path: Path) -> None:
    told: list[OutboxStatus] = []
    transport = unplugged()
    budget = Budget(limit_bytes=2 * EVENT_BYTES, limit_age_s=None)
    with small_room(
        tmp_path / "o.sqlite3", transport, clinical=budget, on_status=told.append
    ) as publisher:
        publisher.publish_many([freeze(uuid4()), freeze(uuid4())])
        until(lambda: bool(told) and told[-1].waiting == 2 and told[-1].problem is not None)
        assert told[-1].problem == "the cable is out"
        assert told[-1].warnings
        with pytest.raises(OutboxFull):
            publisher.publish(freeze(uuid4()))
        until(lambda: told[-1].refused == 1)
        transport.outage = None
        until(lambda: (told[-1].waiting, told[-1].sent) == (0, 2))
        assert told[-1].warnings == ()
        until(lambda: told[-1].problem is None)


def test_nothing_is_told_while_nothing_changes(tmp_path: Path) -> None:
    told: list[OutboxStatus] = []
    with small_room(tmp_path / "o.sqlite3", unplugged(), on_status=told.append) as publisher:
        publisher.publish(freeze(uuid4()))
        until(lambda: told and told[-1].waiting == 1 and told[-1].problem is not None)
        count = len(told)
        time.sleep(0.2)  # ten times the interval: the age of what waits grows, and is no news
        assert len(told) == count


def test_it_is_told_from_another_thread_and_not_for_each_event(tmp_path: Path) -> None:
    threads: list[str] = []
    with small_room(
        tmp_path / "o.sqlite3",
        MemoryTransport(),
        on_status=lambda status: threads.append(threading.current_thread().name),
    ) as publisher:
        for _ in range(300):
            publisher.publish(freeze(uuid4()))
        until(lambda: publisher.status().waiting == 0)
    assert threads
    assert set(threads) == {"outbox-lights"}
    assert len(threads) < 150


def test_it_is_told_no_more_often_because_telemetry_is_synced_often(tmp_path: Path) -> None:
    told: list[OutboxStatus] = []
    settings = PublisherSettings(
        tmp_path / "o.sqlite3", SOURCE, telemetry_sync_s=0.01, status_interval_s=3600.0
    )
    with Publisher(settings, MemoryTransport(), on_status=told.append) as publisher:
        publisher.publish_many([freeze(uuid4()), chunk(uuid4())])
        until(lambda: publisher.status().waiting == 0)
        time.sleep(0.2)  # twenty syncs
        assert told == []
    assert [status.sent for status in told] == [2]


def test_telemetry_is_synced_however_long_it_takes(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def paints_the_window(_: OutboxStatus) -> None:
        begun.set()
        go_on.wait(60)

    transport = unplugged()
    with small_room(tmp_path / "o.sqlite3", transport, on_status=paints_the_window) as publisher:
        publisher.publish(freeze(uuid4()))
        assert begun.wait(30)
        # What is waited for is sent by nobody: the sender, which syncs for others, has no broker.
        publisher.publish(chunk(uuid4()))
        synced = "SELECT synced_id FROM outbox"
        until(lambda: query(tmp_path / "o_telemetry.sqlite3", synced) == [(1,)])
        assert not go_on.is_set()
        go_on.set()


def test_what_it_raises_is_logged_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    calls: list[OutboxStatus] = []

    def fails(status: OutboxStatus) -> None:
        calls.append(status)
        raise RuntimeError("the window is gone")

    transport = MemoryTransport()
    with small_room(tmp_path / "o.sqlite3", transport, on_status=fails) as publisher:
        for sent in (1, 2, 3):
            publisher.publish(freeze(uuid4()))
            until(lambda: bool(calls) and calls[-1].sent == sent)  # noqa: B023
    assert "on_status failed; publishing goes on" in caplog.text
    assert "the window is gone" in caplog.text


def test_the_last_change_is_told_before_the_publisher_is_closed(tmp_path: Path) -> None:
    told: list[OutboxStatus] = []
    budget = Budget(limit_bytes=CHUNK_BYTES, limit_age_s=None)
    with small_room(
        tmp_path / "o.sqlite3",
        unplugged(),
        telemetry=budget,
        sheddable=[Channel.TIP_TEMPERATURE_CEL],
        on_status=told.append,
    ) as publisher:
        publisher.publish_many([chunk(uuid4()), chunk(uuid4())])
    assert (told[-1].waiting, told[-1].shed_chunks) == (2, 1), "a chunk, and the report of a gap"


def test_the_example_of_the_readme_follows_the_outbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = Path(__file__).parents[1] / "producers" / "README.md"
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "on_status" in block]
    names: dict[str, Any] = {
        "Publisher": Publisher,
        "settings": PublisherSettings(tmp_path / "o.sqlite3", SOURCE, status_interval_s=0.02),
        "transport": MemoryTransport(),
    }
    exec(example, names)  # noqa: S102 - our own README
    with names["publisher"] as publisher:
        publisher.publish(freeze(uuid4()))

        def shown() -> str:
            names["refresh"]()
            return capsys.readouterr().out

        until(lambda: "sent 1  waiting 0  refused 0\nall is well" in shown())
