"""A slow source is published as it yields; a fast one in groups; a refusal stops the feed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from outbox_rows import event_ids
from room_events import SOURCE, freeze
from small_rooms import EVENT_BYTES, small_room, unplugged
from waiting import until

from cryotrail_producers.errors import OutboxError, OutboxFull
from cryotrail_producers.feed import Fed, feed
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.events import Event


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE)
    with Publisher(settings, MemoryTransport()) as publisher:
        yield publisher


def test_what_a_source_has_yielded_is_durable_while_it_is_waited_for(
    publisher: Publisher, tmp_path: Path
) -> None:
    path, go_on = tmp_path / "outbox.sqlite3", threading.Event()

    def source() -> Iterator[Event]:
        yield freeze(uuid4())
        yield freeze(uuid4())
        until(lambda: len(event_ids(path)) == 2)
        yield freeze(uuid4())
        until(lambda: len(event_ids(path)) == 3)
        go_on.set()

    assert feed(publisher, source(), lambda count: None) == Fed(accepted=3)
    assert go_on.is_set()


def test_a_fast_source_is_committed_in_groups_and_in_order(
    publisher: Publisher, tmp_path: Path
) -> None:
    events = [freeze(uuid4()) for _ in range(5000)]
    groups: list[int] = []
    assert feed(publisher, events, groups.append) == Fed(accepted=5000)
    assert sum(groups) == 5000
    assert len(groups) < 500
    assert event_ids(tmp_path / "outbox.sqlite3") == [event.header.event_id for event in events]


def test_a_refused_event_ends_the_feed_and_what_came_before_is_durable(
    publisher: Publisher, tmp_path: Path
) -> None:
    good = [freeze(uuid4()) for _ in range(10)]
    bad = replace(freeze(uuid4()), cycle_no=0)
    endless = (freeze(uuid4()) for _ in iter(int, 1))

    def source() -> Iterator[Event]:
        yield from good
        yield bad
        yield from endless

    with pytest.raises(EventRefused, match="cycle_no"):
        feed(publisher, source(), lambda count: None)
    assert event_ids(tmp_path / "outbox.sqlite3")[:10] == [event.header.event_id for event in good]
    assert len(event_ids(tmp_path / "outbox.sqlite3")) == 10


def test_an_error_of_the_source_reaches_the_caller(publisher: Publisher, tmp_path: Path) -> None:
    def source() -> Iterator[Event]:
        yield freeze(uuid4())
        raise OSError("the device was unplugged")

    with pytest.raises(OSError, match="unplugged"):
        feed(publisher, source(), lambda count: None)
    assert len(event_ids(tmp_path / "outbox.sqlite3")) == 1


def test_an_outbox_that_fails_ends_the_feed(publisher: Publisher) -> None:
    publisher.close()
    fed = feed(publisher, (freeze(uuid4()) for _ in range(5000)), lambda count: None)
    assert isinstance(fed.failure, OutboxError)
    assert (fed.accepted, fed.shed) == (0, 0)


def test_an_outbox_that_is_full_ends_the_feed_at_the_first_event_without_room(
    tmp_path: Path,
) -> None:
    path = tmp_path / "full.sqlite3"
    budget = Budget(limit_bytes=1500 * EVENT_BYTES, limit_age_s=None)
    events = [freeze(uuid4()) for _ in range(4000)]
    with small_room(path, unplugged(), clinical=budget) as publisher:
        fed = feed(publisher, events, lambda count: None)
    assert isinstance(fed.failure, OutboxFull)
    assert fed.events == 1500
    assert event_ids(path) == [event.header.event_id for event in events[:1500]]
