"""Each file of an outbox has bounds of its own: near them it warns, at them it refuses, aloud."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from outbox_rows import event_ids, query
from room_events import chunk, entry, freeze, header
from small_rooms import CHUNK_BYTES, EVENT_BYTES, counted_bytes, small_room, unplugged
from waiting import until

from cryotrail_producers.errors import EventTooLarge, OutboxFull
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox_file.budget import ROW_BYTES, Budget
from cryotrail_schemas.events import (
    Channel,
    EndStatus,
    Event,
    GapReason,
    OutboxLossReported,
    ProcedureEnded,
    TelemetryGapReported,
)

FIVE = Budget(limit_bytes=5 * EVENT_BYTES, limit_age_s=None)


def test_at_the_bound_an_event_is_refused_and_what_was_accepted_stays(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with small_room(path, unplugged(), clinical=FIVE) as publisher:
        accepted = [publisher.publish(freeze(uuid4())) for _ in range(5)]
        with pytest.raises(
            OutboxFull, match=r"outbox\.sqlite3: .* wait in it, and .* bound"
        ) as full:
            publisher.publish(freeze(uuid4()))
        assert full.value.retriable
        assert full.value.hint is not None and "outbox status" in full.value.hint
        assert publisher.status().refused == 1
    assert event_ids(path) == accepted


def test_once_something_was_sent_there_is_room_again(tmp_path: Path) -> None:
    transport = unplugged()
    with small_room(tmp_path / "outbox.sqlite3", transport, clinical=FIVE) as publisher:
        publisher.publish_many([freeze(uuid4()) for _ in range(5)])
        with pytest.raises(OutboxFull):
            publisher.publish(freeze(uuid4()))
        transport.outage = None
        until(lambda: publisher.status().waiting == 0)
        publisher.publish(freeze(uuid4()))
        until(lambda: len(transport.records) == 6)


def test_of_many_events_those_before_the_first_without_room_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    events: list[Event] = [freeze(uuid4()) for _ in range(9)]
    with small_room(path, unplugged(), clinical=FIVE) as publisher:
        with pytest.raises(OutboxFull) as full:
            publisher.publish_many(events)
        assert publisher.status().refused == 1
    wanted = [event.header.event_id for event in events[:5]]
    assert list(full.value.outcomes) == wanted
    assert event_ids(path) == wanted


def test_calls_that_share_a_commit_do_not_share_a_refusal(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite3", budget=FIVE) as outbox:

        def append(count: int) -> bool:
            try:
                outbox.append([entry(freeze(uuid4())) for _ in range(count)])
            except OutboxFull:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            accepted = list(pool.map(append, [6, 1, 6, 1, 6, 1, 6, 1]))
    assert accepted == [False, True] * 4


def _reserved(kind: str) -> Event:
    of = header(uuid4())
    if kind == "ProcedureEnded":
        return ProcedureEnded(header=of, status=EndStatus.COMPLETED)
    if kind == "OutboxLossReported":
        return OutboxLossReported(
            header=of, lost_producer_id="p", salvaged_count=0, reason=GapReason.DEVICE_DISCONNECTED
        )
    return TelemetryGapReported(
        header=of,
        channel=Channel.FLOW_PCT,
        from_at=of.occurred_at,
        to_at=of.occurred_at,
        reason=GapReason.SENSOR_FAULT,
    )


@pytest.mark.parametrize("kind", ["ProcedureEnded", "OutboxLossReported", "TelemetryGapReported"])
def test_the_reserve_is_for_what_says_that_something_is_over_or_missing(
    tmp_path: Path, kind: str
) -> None:
    reserved = _reserved(kind)
    budget = Budget(2 * EVENT_BYTES, None, reserve_bytes=counted_bytes(reserved) + 1)
    with small_room(tmp_path / "o.sqlite3", unplugged(), clinical=budget) as publisher:
        publisher.publish_many([freeze(uuid4()), freeze(uuid4())])
        with pytest.raises(OutboxFull):
            publisher.publish(freeze(uuid4()))
        assert publisher.publish(reserved) == reserved.header.event_id
        with pytest.raises(OutboxFull):
            publisher.publish(_reserved(kind))


def test_a_procedure_can_be_sealed_in_a_full_outbox(tmp_path: Path) -> None:
    procedure = uuid4()
    budget = Budget(2 * EVENT_BYTES, None, reserve_bytes=2000)
    with small_room(tmp_path / "o.sqlite3", unplugged(), clinical=budget) as publisher:
        publisher.publish_many([freeze(procedure), freeze(procedure)])
        with pytest.raises(OutboxFull):
            publisher.publish(freeze(procedure))
        assert publisher.seal(procedure) in event_ids(tmp_path / "o.sqlite3")


def test_telemetry_never_takes_clinical_room(tmp_path: Path) -> None:
    budget = Budget(limit_bytes=3 * CHUNK_BYTES, limit_age_s=None)
    with small_room(
        tmp_path / "o.sqlite3", unplugged(), clinical=FIVE, telemetry=budget
    ) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(3)])
        with pytest.raises(OutboxFull, match="o_telemetry"):
            publisher.publish(chunk(uuid4()))
        publisher.publish_many([freeze(uuid4()) for _ in range(5)])
        assert publisher.status().waiting == 8


def test_an_event_that_no_record_can_hold_is_refused_before_it_takes_a_number_or_room(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite3"
    with small_room(path, unplugged(), clinical=FIVE) as publisher:
        with pytest.raises(EventTooLarge):
            publisher.publish(
                OutboxLossReported(
                    header=header(uuid4()),
                    lost_producer_id="p" * 300_000,
                    salvaged_count=0,
                    reason=GapReason.SHED,
                )
            )
        publisher.publish(freeze(uuid4()))
    assert query(path, "SELECT producer_seq FROM event") == [(1,)]
    assert query(path, "SELECT waiting_bytes FROM outbox") == [(EVENT_BYTES,)]


def test_an_oldest_event_beyond_the_age_bound_refuses_all_but_the_reserved(tmp_path: Path) -> None:
    transport = unplugged()
    moment = Budget(limit_bytes=None, limit_age_s=0.3)
    with small_room(tmp_path / "outbox.sqlite3", transport, clinical=moment) as publisher:
        publisher.publish(freeze(uuid4()))
        until(lambda: not _is_accepted(publisher.publish, freeze(uuid4())))
        with pytest.raises(
            OutboxFull, match=r"its oldest event has waited .* and 0\.3 s is the bound"
        ):
            publisher.publish(freeze(uuid4()))
        publisher.publish(_reserved("ProcedureEnded"))
        transport.outage = None
        until(lambda: publisher.status().waiting == 0)
        until(lambda: _is_accepted(publisher.publish, freeze(uuid4())))


def _is_accepted(publish: object, event: Event) -> bool:
    assert callable(publish)
    try:
        return publish(event) == event.header.event_id
    except OutboxFull:
        return False


def test_a_room_that_is_offline_for_a_day_is_not_refused_by_default(tmp_path: Path) -> None:
    budget = Budget()
    assert budget.warnings(10**6, 86400.0) == ()
    assert budget.limit_age_s is not None and budget.limit_age_s > 7 * 86400


def test_crossing_80_percent_is_logged_once_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    budget = Budget(limit_bytes=10 * EVENT_BYTES, limit_age_s=None)
    transport = unplugged()
    with small_room(tmp_path / "o.sqlite3", transport, clinical=budget) as publisher:
        publisher.publish_many([freeze(uuid4()) for _ in range(7)])
        assert publisher.status().warnings == ()
        publisher.publish(freeze(uuid4()))
        (warning,) = publisher.status().warnings
        assert "80%" in warning
        until(lambda: "the clinical outbox fills up" in caplog.text)
        publisher.publish_many([freeze(uuid4()), freeze(uuid4())])
        until(lambda: "the clinical outbox is at its bound" in caplog.text)
        transport.outage = None
        until(lambda: "the clinical outbox has room again" in caplog.text)
        assert publisher.status().warnings == ()
    assert caplog.text.count("fills up") == 1
    assert caplog.text.count("is at its bound") == 1


def test_what_waits_is_about_what_it_takes_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    with Outbox(path) as outbox:
        for _ in range(10):
            outbox.append([entry(freeze(uuid4())) for _ in range(200)])
    ((pages, counted),) = query(
        path, "SELECT (SELECT page_count FROM pragma_page_count), waiting_bytes FROM outbox"
    )
    assert 0.6 < pages * 4096 / counted < 1.3, f"{ROW_BYTES} bytes a row"
