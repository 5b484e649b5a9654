"""How much a damaged outbox lost, procedure by procedure, as far as its own numbers can tell.

Numbers stand in several places: how many a producer gave in all, how many a procedure got, and the
events themselves, or what a seal will need of those that were sent and cut. Where these agree the
loss is counted; where one is missing itself, it is not known, and that is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from cryotrail_producers.salvage.readable_events import Salvage


class Loss(NamedTuple):
    """What one procedure lost."""

    procedure_id: bytes | None
    """None: nobody can tell any more of which."""
    salvaged_count: int
    lost_count: int | None
    """At most so many: some may have reached Kafka. None: not known."""


def count_losses(salvage: Salvage) -> list[Loss]:
    """One for each procedure that has something salvaged or lost; none when nothing was there."""
    salvaged = Counter(event.column("procedure_id") for event in salvage.events.values())
    missing = _missing(salvage)
    # What was sent of a sealed procedure and cut leaves nothing behind, so that what is missing of
    # it need not be lost.
    sealed = {procedure for procedure, (seal_id, _) in salvage.sealed.items() if seal_id}
    concerned = [*salvaged, *(missing.keys() - salvaged.keys() - sealed)]
    if not (salvage.log_is_whole and _numbers_are_whole(salvage)):
        losses = [Loss(procedure, salvaged[procedure], None) for procedure in concerned]
        return losses or [Loss(None, 0, None)]
    losses = [
        Loss(
            procedure,
            salvaged[procedure],
            None if procedure in sealed and procedure in missing else missing.get(procedure, 0),
        )
        for procedure in concerned
    ]
    unread = len(salvage.indexed_ids - salvage.events.keys())
    unread -= sum(loss.lost_count or 0 for loss in losses)
    if unread > 0 and all(loss.lost_count is not None for loss in losses):
        losses.append(Loss(None, 0, unread))
    return losses


def _missing(salvage: Salvage) -> dict[bytes, int]:
    """How many numbers a procedure got that neither an event nor a kept content has."""
    present: dict[bytes, set[int]] = defaultdict(set)
    for id_, event in salvage.events.items():
        present[event.column("procedure_id")].add(id_)
    for procedure, id_ in salvage.contents:
        present[procedure].add(id_)
    numbered: Counter[bytes] = Counter()
    for (_, procedure, _), last_seq in salvage.numbers.items():
        numbered[procedure] += last_seq
    missing = {procedure: count - len(present[procedure]) for procedure, count in numbered.items()}
    return {procedure: count for procedure, count in missing.items() if count > 0}


def _numbers_are_whole(salvage: Salvage) -> bool:
    named = [number for number, _, _ in salvage.numbers]
    named += [event.column("producer_no") for event in salvage.events.values()]
    last = max([*named, *salvage.producers], default=0)
    given: Counter[int] = Counter()
    for (number, _, _), last_seq in salvage.numbers.items():
        given[number] += last_seq
    return last > 0 and all(
        number in salvage.producers and salvage.producers[number][1] == given[number]
        for number in range(1, last + 1)
    )
