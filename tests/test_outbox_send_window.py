"""The window hands over one batch of a procedure at a time, in order of id, within its bounds."""

from __future__ import annotations

from uuid import UUID

from cryotrail_producers.outbox.drain import WaitingRow
from cryotrail_producers.sending.refusals import Refusals
from cryotrail_producers.sending.window import Batch, SendWindow
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def row(id_: int, procedure_id: UUID, topic: str = PROCEDURE_EVENTS) -> WaitingRow:
    event_id = UUID(int=1000 + id_)
    return WaitingRow(
        id_, event_id, "FreezeStarted", procedure_id, 0, topic, "urn:x", "p", id_, id_, b"value"
    )


def window(in_flight_rows: int = 100, batch_rows: int = 10) -> SendWindow:
    return SendWindow(in_flight_rows, batch_rows, Refusals(60, 60))


def window_with_refused(row_id: int, pause_s: float) -> SendWindow:
    refusals = Refusals(pause_s, pause_s)
    refusals.note((PROCEDURE_EVENTS, A), row_id)
    return SendWindow(100, 10, refusals)


def drained(window: SendWindow) -> list[Batch]:
    batches = []
    while (batch := window.next_batch()) is not None:
        batches.append(batch)
    return batches


def ids(batches: list[Batch]) -> list[list[int]]:
    return [[row.id for row in batch.rows] for batch in batches]


def test_rows_of_a_procedure_go_together_in_order_of_id() -> None:
    held = window()
    held.add([row(1, A), row(2, B), row(3, A), row(4, B), row(5, A)])
    assert ids(drained(held)) == [[1, 3, 5], [2, 4]]


def test_a_procedure_waits_for_its_batch_and_others_go_on() -> None:
    held = window(batch_rows=2)
    held.add([row(1, A), row(2, A), row(3, A), row(4, B)])
    first, other = drained(held)
    held.add([row(5, A), row(6, C)])
    assert ids([first, other]) == [[1, 2], [4]]
    assert ids(drained(held)) == [[6]]

    held.settle(first)

    assert ids(drained(held)) == [[3, 5]]


def test_the_topics_of_a_procedure_do_not_wait_for_each_other() -> None:
    held = window()
    held.add([row(1, A)])
    held.add([row(1, A, PROBE_TELEMETRY)])
    assert [batch.lane for batch in drained(held)] == [(PROCEDURE_EVENTS, A), (PROBE_TELEMETRY, A)]


def test_no_more_is_in_flight_than_allowed() -> None:
    held = window(in_flight_rows=5)
    held.add([row(id_, A) for id_ in range(1, 4)] + [row(id_, B) for id_ in range(4, 9)])
    first, cut_short = drained(held)
    assert ids([first, cut_short]) == [[1, 2, 3], [4, 5]]
    assert held.in_flight_rows == 5

    held.settle(first)
    assert drained(held) == []
    held.settle(cut_short)

    assert ids(drained(held)) == [[6, 7, 8]]


def test_what_was_settled_is_no_longer_held() -> None:
    held = window(batch_rows=2)
    held.add([row(id_, A) for id_ in range(1, 6)])
    while (batch := held.next_batch()) is not None:
        held.settle(batch)
    assert (held.held_rows, held.held_bytes, held.in_flight_rows) == (0, 0, 0)


def test_a_refused_row_stops_its_procedure_alone_and_takes_no_room() -> None:
    held = window_with_refused(3, pause_s=600)
    held.add([row(1, A), row(2, B), row(3, A), row(4, B), row(5, A)])
    first, other = drained(held)
    held.settle(first)
    held.settle(other)
    held.add([row(6, B), row(7, A)])
    assert ids([first, other, *drained(held)]) == [[1], [2, 4], [6]]
    assert held.held_rows == 1


def test_a_refused_row_is_tried_again_alone() -> None:
    held = window_with_refused(3, pause_s=0)
    held.add([row(1, A), row(2, B), row(3, A)])
    before = drained(held)
    assert ids(before) == [[1], [2]]
    for batch in before:
        held.settle(batch)
    held.add([row(4, B)])
    (other,) = drained(held)
    held.add([row(5, C)])
    assert ids([other, *drained(held)]) == [[4]]  # though C is ready: first nothing is in flight
    held.settle(other)
    assert ids(drained(held)) == [[3]]
