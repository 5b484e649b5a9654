"""What was known then: an event with its corrections, as the log had them at one size.

The log is bitemporal: an event says when it happened, the store when it was recorded. Nothing is
ever overwritten, so what a clinician could have known at a moment is what stands below the size
that the log had then, read as it is read today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from cryotrail_audit.decoded import decoded_event
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import EVENT, Entry, Head, StoredSchema
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.corrections import (
    CORRECTION_TYPES,
    CurrentEvent,
    RecordedEvent,
    current_view,
    target_id,
)


class Correction(NamedTuple):
    """An amendment or void that is about an event, also one that changes nothing."""

    entry: Entry
    event_json: Mapping[str, Any]
    verdict: str
    """See :meth:`~cryotrail_schemas.corrections.CurrentView.verdict`."""
    place: int
    """Of its entry; what the changes of the view name as ``seq``."""


class KnownEvent(NamedTuple):
    """What the log said of an event at one size."""

    head: Head
    """The log at that size."""
    entry: Entry
    event_json: Mapping[str, Any] | None
    """As it was published; None = it cannot be read."""
    corrections: tuple[Correction, ...]
    """Those that target it, and those that target one of these, in the order of the store."""
    current: CurrentEvent | None
    """What held after them; None for a correction, and for what cannot be read."""
    verdict: str | None
    """What it does, where it is a correction itself."""


def resolved_size(
    store: AuditStore, *, recorded_us: int | None = None, seq: int | None = None
) -> int:
    """The size of the log as of a time of its clock, or through an entry; the present otherwise.

    A time to come is the present: what is known until now.

    :raises AuditError: the log has no entry of that number.
    """
    now = store.head().tree_size
    if seq is not None and seq >= now:
        raise AuditError(
            f"the log has {now} entries: none of number {seq}",
            hint="they are numbered from 0 on; without --as-of-seq everything is shown",
        )
    if recorded_us is None:
        return now if seq is None else seq + 1
    return store.size_as_of(recorded_us)


def known_event(store: AuditStore, event_id: UUID, tree_size: int) -> KnownEvent | None:
    """What was known of an event when the log had this many entries; None = it was not there.

    Corrections are looked for in the event's own procedure: one that carries another procedure's
    id is never applied. What they say is read by the schemas of today, which decode the same
    bytes to the same values.

    :raises AuditError: the log never had as many entries.
    """
    head = store.head(tree_size)
    through = tree_size - 1
    entry = store.entry_of(event_id, through)
    if entry is None:
        return None
    schemas = store.schemas()
    document = decoded_event(entry, schemas)
    if entry.kind != EVENT or document is None:
        return KnownEvent(head, entry, document, (), None, None)
    entries, recorded = {event_id: entry}, {event_id: _recorded(store, entry, document)}
    for one in _corrections(store, entry, through):
        if (read := _read(store, one, schemas)) is not None:
            entries[read.event_id], recorded[read.event_id] = one, read
    targets = {target_id(read) for read in recorded.values() if read.type in CORRECTION_TYPES}
    for target in targets - recorded.keys():
        # Wherever it is: one of another procedure is told from one that has not arrived.
        found = store.entry_of(target, through)
        if found is not None and found.kind == EVENT and (read := _read(store, found, schemas)):
            entries[target], recorded[target] = found, read
    itself = recorded[event_id]
    view = current_view(recorded.values())
    return KnownEvent(
        head=head,
        entry=entry,
        event_json=document,
        corrections=tuple(
            Correction(entries[read.event_id], read.event_json, view.verdict(read), read.seq)
            for read in _about(itself, recorded.values())
        ),
        current=next((e for e in view.events if e.original.event_id == event_id), None),
        verdict=view.verdict(itself) if itself.type in CORRECTION_TYPES else None,
    )


def _corrections(store: AuditStore, entry: Entry, through: int) -> Iterator[Entry]:
    """All corrections of the event's procedure."""
    assert entry.procedure_id is not None  # an event always has one
    for batch in store.procedure_entries(UUID(bytes=entry.procedure_id), through):
        for one in batch:
            if one.kind == EVENT and one.event_type in CORRECTION_TYPES:
                yield one


def _read(
    store: AuditStore, entry: Entry, schemas: Mapping[bytes, StoredSchema]
) -> RecordedEvent | None:
    document = decoded_event(entry, schemas)
    return None if document is None else _recorded(store, entry, document)


def _recorded(store: AuditStore, entry: Entry, document: Mapping[str, Any]) -> RecordedEvent:
    return RecordedEvent(
        store.place_of(entry),
        UUID(bytes=entry.event_id),
        entry.event_type or "",
        document,
        entry.content_hash,
    )


def _about(itself: RecordedEvent, recorded: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """The corrections of an event, the corrections of these, and so on, in order of the store."""
    targeting: dict[UUID, list[RecordedEvent]] = defaultdict(list)
    for one in recorded:
        if one.type in CORRECTION_TYPES:
            targeting[target_id(one)].append(one)
    found: dict[UUID, RecordedEvent] = {}
    following = [itself]
    while following:
        for one in targeting[following.pop().event_id]:
            if one.event_id not in found and one.event_id != itself.event_id:
                found[one.event_id] = one
                following.append(one)
    return sorted(found.values(), key=lambda one: one.seq)
