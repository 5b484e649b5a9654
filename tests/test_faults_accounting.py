"""The account of a fault run finds what it is there to find: each of these is planted."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from faults.accounting import Account, PoisonRecord, RecordedEvent, account
from faults.journal import Attempt

ROOM, OTHER_ROOM = UUID(int=100), UUID(int=200)
TOPIC_UUID = UUID(int=7)


def _attempts() -> list[Attempt]:
    """Ten events of one procedure, and ten of another."""
    return [
        Attempt(UUID(int=number), bytes([number]) * 32, ROOM if number < 10 else OTHER_ROOM, "t")
        for number in range(20)
    ]


def _recorded(attempts: list[Attempt]) -> list[RecordedEvent]:
    return [
        RecordedEvent(
            0,
            "FreezeStarted",
            one.event_id,
            one.content_hash,
            one.topic,
            one.procedure_id,
            "outbox",
            number % 10,
        )
        for number, one in enumerate(attempts)
    ]


POISON = [PoisonRecord(TOPIC_UUID, 3, offset, bytes([offset])) for offset in range(4)]


def _of(
    entries: list[RecordedEvent],
    quarantined: list[PoisonRecord] = POISON,
    destroyed: frozenset[UUID] = frozenset(),
    returned: int = 20,
) -> Account:
    attempts = _attempts()
    ids = {one.event_id for one in attempts[:returned]}
    return account(attempts, ids, entries, POISON, quarantined, destroyed)


def test_a_run_in_which_all_went_well_has_no_violation() -> None:
    done = _of(_recorded(_attempts()))

    assert done.violations == []
    assert (done.attempted, done.returned, done.recorded, done.poison) == (20, 20, 20, 4)


def test_an_event_that_publish_did_not_return_may_be_recorded_or_not() -> None:
    entries = _recorded(_attempts())

    assert _of(entries, returned=19).violations == []
    assert _of(entries[:-1], returned=19).violations == []


PLANTED: dict[str, tuple[str, Callable[[list[RecordedEvent]], list[RecordedEvent]]]] = {
    "lost": ("lost", lambda e: e[:4] + e[5:]),
    "recorded twice": ("duplicated", lambda e: [*e, e[-1]]),
    "a conflict": ("duplicated", lambda e: [*e, e[-1]._replace(kind=1, content_hash=b"x" * 32)]),
    "a changed byte": ("changed", lambda e: [e[0]._replace(content_hash=b"x" * 32), *e[1:]]),
    "never published": ("unknown", lambda e: [*e, e[-1]._replace(event_id=UUID(int=99))]),
    "two exchanged": ("order_breaks", lambda e: [*e[:4], e[5], e[4], *e[6:]]),
    "the first one last": ("order_breaks", lambda e: [*e[1:], e[0]]),
}


@pytest.mark.parametrize("what", PLANTED)
def test_the_account_finds(what: str) -> None:
    column, plant = PLANTED[what]
    done = _of(plant(_recorded(_attempts())))

    counted = {
        name: getattr(done, name)
        for name in ("lost", "duplicated", "changed", "unknown", "order_breaks")
    }
    assert counted[column] >= 1
    assert {name for name, count in counted.items() if count} == {column}
    assert done.violations != []


def test_a_number_that_a_producer_gives_twice_is_an_order_break() -> None:
    entries = _recorded(_attempts())
    entries[5] = entries[5]._replace(procedure_seq=4)

    assert _of(entries).order_breaks == 1


def test_events_of_two_procedures_may_stand_in_any_order() -> None:
    entries = _recorded(_attempts())

    assert _of([*entries[10:], *entries[:10]]).violations == []


def test_what_was_destroyed_in_kafka_may_come_late_and_must_come() -> None:
    entries = _recorded(_attempts())
    destroyed = frozenset({entries[3].event_id, entries[4].event_id})

    late = _of([*entries[:3], *entries[5:], *entries[3:5]], destroyed=destroyed)
    assert late.violations == []
    assert (late.late_expected, late.late_found) == (2, 2)

    missing = _of([*entries[:3], *entries[4:]], destroyed=destroyed)
    assert (missing.late_expected, missing.late_found, missing.lost) == (2, 1, 1)

    another = _of([*entries[:3], *entries[5:], *entries[3:5]], destroyed=destroyed - {
        entries[4].event_id
    })  # fmt: skip
    assert another.order_breaks == 1


@pytest.mark.parametrize(
    "quarantined",
    [
        pytest.param(POISON[1:], id="missing"),
        pytest.param([*POISON, POISON[0]], id="twice"),
        pytest.param([POISON[0]._replace(value=b"?"), *POISON[1:]], id="other bytes"),
        pytest.param([POISON[0]._replace(offset=77), *POISON[1:]], id="elsewhere"),
        pytest.param([*POISON, POISON[0]._replace(partition=9)], id="an event of ours"),
    ],
)
def test_poison_is_kept_once_at_its_place_with_its_bytes(quarantined: list[PoisonRecord]) -> None:
    done = _of(_recorded(_attempts()), quarantined)

    assert done.poison_wrong >= 1
    assert done.violations != []
