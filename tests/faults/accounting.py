"""The account of a run: what was attempted, what ``publish`` returned, and what the store holds.

returned ⊆ recorded ⊆ attempted, by event id and content hash; each event once; each procedure in
the order in which it was published; each poison record quarantined once, with its bytes. Pure
functions over plain values: :mod:`faults.store_reading` fetches them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from faults.journal import Attempt

OWN_REPORTS = frozenset({"OutboxLossReported", "TelemetryGapReported"})
"""What an outbox publishes by itself, so that no journal has it."""

_NAMED = 5
"""How many of a kind of violation are named."""


class RecordedEvent(NamedTuple):
    """An entry of kind 0 or 1."""

    kind: int
    event_type: str | None
    event_id: UUID
    content_hash: bytes
    topic: str
    procedure_id: UUID
    producer_id: str | None
    procedure_seq: int | None


class PoisonRecord(NamedTuple):
    """A record that nobody can read, where Kafka holds it."""

    topic_uuid: UUID
    partition: int
    offset: int
    value: bytes | None


@dataclass
class Account:
    """What came of a run, in numbers, and each thing that must not be."""

    attempted: int = 0
    returned: int = 0
    recorded: int = 0
    lost: int = 0
    """Returned by ``publish`` and not recorded."""
    duplicated: int = 0
    """Recorded more than once, or a second time with other content."""
    changed: int = 0
    """Recorded with other bytes than were published."""
    unknown: int = 0
    """Recorded and never published."""
    own_reports: int = 0
    """Recorded reports of an outbox about itself."""
    order_breaks: int = 0
    poison: int = 0
    """Poison records that were produced."""
    poison_wrong: int = 0
    """Not quarantined exactly once with their bytes, or quarantined and no poison."""
    late_expected: int = 0
    """Acknowledged by Kafka and destroyed there before they were recorded."""
    late_found: int = 0
    """Of these, recorded all the same."""
    violations: list[str] = field(default_factory=list)

    def _found(self, what: str, which: Collection[object]) -> int:
        if which:
            named = ", ".join(map(str, list(which)[:_NAMED]))
            more = f" and {len(which) - _NAMED} more" if len(which) > _NAMED else ""
            self.violations.append(f"{len(which)} {what}: {named}{more}")
        return len(which)


def account(
    attempted: Sequence[Attempt],
    returned: Collection[UUID],
    entries: Sequence[RecordedEvent],
    poison: Sequence[PoisonRecord] = (),
    quarantined: Sequence[PoisonRecord] = (),
    destroyed: Collection[UUID] = (),
    refused: Collection[UUID] = (),
) -> Account:
    """Hold what was published against what is recorded.

    :param attempted: of each procedure and topic in the order of publishing.
    :param returned: ids for which ``publish`` returned.
    :param entries: events and conflicts in the order of the log.
    :param poison: what the harness produced.
    :param quarantined: what the store has in quarantine.
    :param destroyed: ids that the harness destroyed in Kafka before they were recorded: each must
        be recorded, and it alone may stand behind later ones of its procedure.
    :param refused: ids that ``publish`` refused or shed: none of them may be recorded.
    """
    done = Account(len(attempted), len(returned), poison=len(poison))
    published = {one.event_id: one for one in attempted}
    times = Counter(entry.event_id for entry in entries)
    reports = {one.event_id for one in entries if one.event_type in OWN_REPORTS}
    done.recorded = len(set(times) - reports)
    done.own_reports = len(reports)
    done.lost = done._found("returned and not recorded", set(returned) - set(times))
    done.unknown = done._found(
        "recorded and never published", set(times) - set(published) - reports
    )
    done.duplicated = done._found("recorded twice", {e for e, count in times.items() if count > 1})
    conflicts = {entry.event_id for entry in entries if entry.kind != 0}
    done.duplicated += done._found("recorded as a conflict", conflicts)
    done._found("refused and recorded all the same", set(refused) & set(times))
    done.changed = done._found(
        "recorded with other content",
        {
            entry.event_id
            for entry in entries
            if entry.kind == 0
            and entry.event_id in published
            and entry.content_hash != published[entry.event_id].content_hash
        },
    )
    # Of an event that is recorded twice the first entry counts: the second is another violation.
    firsts: dict[UUID, RecordedEvent] = {}
    for entry in entries:
        if entry.event_id in published:
            firsts.setdefault(entry.event_id, entry)
    events = list(firsts.values())
    breaks = _order_breaks(attempted, events, destroyed) | _number_breaks(events, destroyed)
    done.order_breaks = done._found("recorded out of order", breaks)
    done.late_expected = len(destroyed)
    done.late_found = len(set(destroyed) & set(times))
    done._found("destroyed in Kafka and not recorded late", set(destroyed) - set(times))
    _account_of_poison(done, poison, quarantined)
    return done


def _order_breaks(
    attempted: Iterable[Attempt], events: Iterable[RecordedEvent], destroyed: Collection[UUID]
) -> set[UUID]:
    """Events that stand behind one of their procedure and topic that was published later."""
    number = {one.event_id: index for index, one in enumerate(attempted)}
    return _falling(
        (((one.topic, one.procedure_id), number[one.event_id], one.event_id) for one in events),
        destroyed,
    )


def _number_breaks(events: Iterable[RecordedEvent], destroyed: Collection[UUID]) -> set[UUID]:
    """Events whose delivery number is not above that of an earlier entry of their producer."""
    return _falling(
        (
            ((one.topic, one.procedure_id, one.producer_id), one.procedure_seq, one.event_id)
            for one in events
            if one.procedure_seq is not None
        ),
        destroyed,
    )


def _falling(numbered: Iterable[tuple[object, int, UUID]], excepted: Collection[UUID]) -> set[UUID]:
    highest: dict[object, int] = defaultdict(lambda: -1)
    found = set()
    for lane, number, event_id in numbered:
        if number <= highest[lane] and event_id not in excepted:
            found.add(event_id)
        highest[lane] = max(highest[lane], number)
    return found


def _account_of_poison(
    done: Account, poison: Sequence[PoisonRecord], quarantined: Sequence[PoisonRecord]
) -> None:
    wanted: Mapping[PoisonRecord, int] = Counter(poison)
    found: Mapping[PoisonRecord, int] = Counter(quarantined)
    wrong = {_place(one) for one in {*wanted, *found} if wanted.get(one) != found.get(one)}
    done.poison_wrong = done._found("poison records not quarantined once as they are", wrong)


def _place(one: PoisonRecord) -> str:
    return f"{one.topic_uuid}/{one.partition}@{one.offset}"
