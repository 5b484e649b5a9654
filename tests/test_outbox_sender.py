"""The sender: in order per procedure, bounded, never silent, and again when the log has lost."""

from __future__ import annotations

import logging
import time
from uuid import uuid4

import pytest
from log_transports import HeldTransport, LossyTransport
from outbox_room import Room, seqs
from outbox_rows import execute, query
from room_events import SOURCE, chunk, freeze
from waiting import until

from cryotrail_producers.back_off import BackOff
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.delivery import read_delivery


def test_events_arrive_in_order_with_their_key_body_and_numbers(room: Room) -> None:
    transport, procedure = MemoryTransport(), uuid4()
    events = [freeze(procedure, cycle_no) for cycle_no in (1, 2, 3)]
    publisher = room.publisher(transport)
    publisher.publish_many(events)
    status = publisher.wait(10)

    assert (status.waiting, status.sent, status.oldest_age_s) == (0, 3, None)
    assert [record.key for record in transport.records] == [str(procedure).encode()] * 3
    delivered = [read_delivery(record.headers) for record in transport.records]
    assert [delivery.event_id for delivery in delivered] == [
        str(event.header.event_id) for event in events
    ]
    assert [(d.producer_seq, d.procedure_seq) for d in delivered] == [(1, 1), (2, 2), (3, 3)]
    assert {delivery.event_type for delivery in delivered} == {"FreezeStarted"}
    headers = dict(transport.records[0].headers)
    assert headers["ce_source"] == SOURCE.encode()
    assert headers["ce_time"] == b"2026-11-22T10:25:00Z"
    assert headers["content-type"] == b"application/avro"


def test_clinical_events_and_telemetry_have_producers_of_their_own(room: Room) -> None:
    transport, procedure = MemoryTransport(), uuid4()
    publisher = room.publisher(transport)
    publisher.publish_many([freeze(procedure), chunk(procedure), freeze(procedure)])
    publisher.wait(10)

    by_topic = {
        topic: [read_delivery(r.headers) for r in transport.records if r.topic == topic]
        for topic in ("cryotrail.procedure-events", "cryotrail.probe-telemetry")
    }
    clinical, telemetry = by_topic.values()
    assert [d.producer_seq for d in clinical] == [1, 2]
    assert [d.producer_seq for d in telemetry] == [1]
    assert clinical[0].producer_id != telemetry[0].producer_id


def test_a_procedure_has_one_batch_in_flight_and_the_next_waits_for_all_of_it(room: Room) -> None:
    transport = HeldTransport()
    publisher = room.publisher(transport, batch_rows=2)
    slow, quick = uuid4(), uuid4()
    publisher.publish_many([freeze(slow) for _ in range(5)])
    until(lambda: len(transport.held) == 1)
    publisher.publish_many([freeze(quick) for _ in range(4)])
    until(lambda: len(transport.held) == 2)

    transport.acknowledge(1)
    until(lambda: len(transport.held) == 2)
    transport.acknowledge(1)
    until(lambda: publisher.status().waiting == 5)

    assert transport.keys_in_flight() == {str(slow).encode(): 1}
    assert seqs(transport.records, quick) == [6, 7, 8, 9]
    for _ in range(3):
        until(lambda: len(transport.held) == 1)
        transport.acknowledge()
    assert publisher.wait(10).waiting == 0
    assert seqs(transport.records, slow) == [1, 2, 3, 4, 5]


def test_nothing_behind_a_failed_record_overtakes_it(room: Room) -> None:
    transport, procedure = HeldTransport(), uuid4()
    publisher = room.publisher(transport, batch_rows=2)
    publisher.publish_many([freeze(procedure) for _ in range(6)])
    until(lambda: len(transport.held) == 1)
    transport.acknowledge()
    until(lambda: len(transport.held) == 1)
    transport.fail()

    for _ in range(3):
        until(lambda: len(transport.held) == 1)
        transport.acknowledge()
    assert publisher.wait(10).waiting == 0
    # Sent again from the oldest that is kept, in order; the recorder counts 1 and 2 once.
    assert seqs(transport.records) == [1, 2, 1, 2, 3, 4, 5, 6]


def test_no_more_records_are_in_flight_than_allowed(room: Room) -> None:
    transport = HeldTransport()
    publisher = room.publisher(transport, in_flight_rows=10)
    publisher.publish_many([freeze(uuid4()) for _ in range(30)])
    until(lambda: len(transport.held) == 10)
    transport.acknowledge()
    until(lambda: len(transport.records) == 1 and len(transport.held) == 10)
    assert publisher.status().waiting >= 29


def test_an_outage_is_told_and_survived(room: Room) -> None:
    transport = MemoryTransport()
    transport.outage = "no broker answers"
    publisher = room.publisher(transport)
    publisher.publish(freeze(uuid4()))
    until(lambda: publisher.problem() == "no broker answers")
    waiting = publisher.wait(0.05)
    assert (waiting.waiting, waiting.sent) == (1, 0)
    assert waiting.oldest_age_s is not None and waiting.oldest_age_s >= 0.05

    transport.outage = None

    assert publisher.wait(10).waiting == 0
    until(lambda: publisher.problem() is None)


def test_what_waits_is_sent_by_the_next_publisher(room: Room) -> None:
    gone, back = MemoryTransport(), MemoryTransport()
    gone.outage = "no broker answers"
    with room.publisher(gone) as first:
        ids = first.publish_many([freeze(uuid4()) for _ in range(3)])
    second = room.publisher(back)
    until(lambda: second.status().waiting == 0)

    assert [read_delivery(record.headers).event_id for record in back.records] == [
        str(event_id) for event_id in ids
    ]


def test_acknowledged_rows_are_kept_with_their_place_and_cut_after_the_grace(room: Room) -> None:
    transport = MemoryTransport()
    publisher = room.publisher(transport, grace_s=900)
    publisher.publish_many([freeze(uuid4()) for _ in range(3)])
    publisher.wait(10)
    kept = query(room.path, "SELECT part, kafka_offset, acknowledged_us FROM event")
    assert len(kept) == 3
    assert all(None not in row for row in kept)
    publisher.close()

    with room.publisher(transport, grace_s=0.2) as impatient:
        until(lambda: query(room.path, "SELECT count(*) FROM event") == [(0,)])
        assert impatient.status().sent == 3
        impatient.publish(freeze(uuid4()))
        assert impatient.wait(10).sent == 4
    assert seqs(transport.records) == [1, 2, 3, 4]


def test_waiting_rows_outlive_any_grace(room: Room) -> None:
    transport = MemoryTransport()
    transport.outage = "no broker answers"
    publisher = room.publisher(transport, grace_s=0)
    publisher.publish(freeze(uuid4()))
    execute(room.path, "UPDATE event SET appended_us = 0")
    transport.outage = None
    assert publisher.wait(10).waiting == 0
    assert len(transport.records) == 1


def test_an_offset_that_goes_back_sends_everything_kept_again(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    transport, procedure = LossyTransport(partition_count=1), uuid4()
    publisher = room.publisher(transport)
    publisher.publish_many([freeze(procedure) for _ in range(5)])
    publisher.publish_many([chunk(procedure) for _ in range(2)])
    publisher.wait(10)

    transport.lose_everything()
    publisher.publish(freeze(procedure))

    until(lambda: len(transport.records) >= 8)
    assert publisher.wait(10).waiting == 0
    clinical = [r for r in transport.records if r.topic == "cryotrail.procedure-events"]
    # 6 revealed the loss; then all that is kept and 6 again, in order.
    assert seqs(clinical) == [6, 1, 2, 3, 4, 5, 6]
    assert len(transport.records) - len(clinical) == 2
    assert transport.resets == 1
    assert "got offset 0, yet 4 was acknowledged before it" in caplog.text
    assert [r.levelno for r in caplog.records if "are sent again" in r.message] == [logging.ERROR]


def test_a_loss_is_seen_by_a_sender_that_starts_later_before_it_sends(room: Room) -> None:
    transport, procedure = LossyTransport(partition_count=1), uuid4()
    with room.publisher(transport) as first:
        first.publish_many([freeze(procedure) for _ in range(3)])
        first.wait(10)
    transport.lose_everything()

    second = room.publisher(transport)
    second.publish(freeze(procedure))
    assert second.wait(10).waiting == 0
    assert seqs(transport.records) == [1, 2, 3, 4]


def test_what_a_log_still_holds_is_not_sent_again_by_a_sender_that_starts(room: Room) -> None:
    transport = MemoryTransport()
    for _ in range(3):
        with room.publisher(transport) as publisher:
            publisher.publish(freeze(uuid4()))
            assert publisher.wait(10).waiting == 0
    assert seqs(transport.records) == [1, 2, 3]


def test_a_cut_tail_is_noticed_while_nothing_new_is_published(room: Room) -> None:
    transport = LossyTransport()
    publisher = room.publisher(transport, log_check_s=0.1)
    publisher.publish_many([freeze(uuid4()) for _ in range(3)])
    assert publisher.wait(10).waiting == 0
    transport.cut_last()
    until(lambda: len(transport.records) == 5)
    assert publisher.wait(10).waiting == 0
    assert sorted(set(seqs(transport.records))) == [1, 2, 3]


def test_acknowledgements_of_what_is_sent_again_do_not_shorten_the_wait(room: Room) -> None:
    transport, failing = HeldTransport(), uuid4()
    publisher = room.publisher(transport, back_off_min_s=0.01, back_off_max_s=60)
    publisher.publish(freeze(uuid4()))
    until(lambda: len(transport.held) == 1)
    transport.acknowledge()
    assert publisher.wait(10).waiting == 0
    publisher.publish(freeze(failing))

    failures = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if str(failing).encode() in transport.keys_in_flight():
            if len(transport.held) == 2:
                transport.acknowledge()
                until(lambda: publisher.status().waiting == 1)
            transport.fail()
            failures += 1
        time.sleep(0.001)

    # Waits of at least 5, 10, 20 ... ms: the ninth failure comes after 1.3 s. Else dozens.
    assert 1 < failures < 12


def test_two_procedures_that_interleave_on_a_partition_are_no_loss(room: Room) -> None:
    transport = HeldTransport(partition_count=1)
    publisher = room.publisher(transport, batch_rows=1)
    publisher.publish_many([freeze(uuid4()) for _ in range(4)])
    until(lambda: len(transport.held) == 4)
    # Offsets are given in order of arrival; here the acknowledgements come the other way round.
    placed = [MemoryTransport.send(transport, records).result() for records, _ in transport.held]
    for (_, future), placements in reversed(list(zip(transport.held, placed, strict=True))):
        future.set_result(placements)
    transport.held.clear()

    assert publisher.wait(10).waiting == 0
    assert seqs(transport.records) == [1, 2, 3, 4]


def test_the_wait_grows_up_to_its_longest_and_differs_each_time() -> None:
    back_off = BackOff(0.1, 30.0)
    waits = [back_off.next_s() for _ in range(12)]
    spans = [min(30.0, 0.1 * 2**n) for n in range(12)]
    assert all(span / 2 <= wait <= span for wait, span in zip(waits, spans, strict=True))
    assert len(set(waits[-3:])) == 3
    back_off.reset()
    assert back_off.next_s() <= 0.1
