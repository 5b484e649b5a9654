"""What holds now: the events of a procedure after every amendment and void.

Corrections are events, never edits. The rules:

- An ``EventAmended`` targets an original. Per path the amendment in force with the highest ``seq``
  gives the value. Where two replaced the same value, neither author knowing of the other, they are
  *concurrent*: both are shown for decision, until a later amendment supersedes both.
- An ``EventVoided`` targets any event but a seal. Voiding an ``EventAmended`` takes the amendment
  back; voiding an ``EventVoided`` restores its target.
- A correction, or one change of it, that cannot be applied changes nothing and is listed with the
  reason. Whether it applies is judged anew at each look: one that waits applies when its target
  arrives.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from cryotrail_schemas.concurrent_changes import rivals
from cryotrail_schemas.field_changes import Change, ChangeProblem, ChangeRefused, new_value, touches
from cryotrail_schemas.json_pointer import PointerError, replaced

CORRECTION_TYPES: Final = frozenset({"EventAmended", "EventVoided"})
_SEAL: Final = "ProcedureSealed"

Reason = (
    Literal[
        "target_missing",  # it waits: the target has not arrived
        "hash_mismatch",  # its author saw another content of the target
        "other_procedure",  # it carries another procedure_id than its target
        "targets_correction",  # an amendment of a correction: amend the original instead
        "targets_seal",  # a seal is what its signer counted, for good
        "circular",  # voids that void each other
    ]
    | ChangeProblem
)


class RecordedEvent(NamedTuple):
    """An event as the store has it."""

    seq: int
    event_id: UUID
    type: str
    event_json: Mapping[str, Any]
    """The event as JSON (``json_form``)."""
    content_hash: bytes
    """SHA-256 of its body."""


class FieldAmendment(NamedTuple):
    """One change that was made to an event, for showing it beside the others."""

    change: Change
    is_in_force: bool
    """The current view has its value: no later change replaced it, on its path or above."""
    is_concurrent: bool
    """It is one of those to decide between."""


@dataclass(frozen=True, slots=True)
class CurrentEvent:
    """An original and what has become of it."""

    original: RecordedEvent
    event_json: Mapping[str, Any]
    """The event as JSON with every amendment in force; of a voided one as well. An amended value
    is written as ``event_to_json`` writes it, in whichever way its author wrote it."""
    voided: bool
    amendments: tuple[FieldAmendment, ...]
    """Every change that can be made and was not taken back, in the order of the store."""
    concurrent_paths: tuple[str, ...]
    """JSON pointers of the values that are shown for decision, sorted."""

    @property
    def amended_paths(self) -> tuple[str, ...]:
        """JSON pointers of the fields that an amendment in force gives, sorted."""
        return tuple(sorted({item.change.path for item in self.amendments if item.is_in_force}))


class Unapplied(NamedTuple):
    """A correction, or with ``path`` one change of it, that changes nothing, and why."""

    seq: int
    event_id: UUID
    target_event_id: UUID
    path: str | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class CurrentView:
    """All originals in the order of ``seq``, and the corrections that could not be applied."""

    events: tuple[CurrentEvent, ...]
    unapplied: tuple[Unapplied, ...]
    voided_ids: frozenset[UUID]
    """What a void in force takes back: originals, amendments and voids."""

    def in_force(self) -> Iterator[CurrentEvent]:
        """The events that count: all but the voided ones."""
        return (event for event in self.events if not event.voided)

    def verdict(self, correction: RecordedEvent) -> str:
        """What a correction of this view does, in one word.

        ``APPLIED``; ``PARTLY_APPLIED``; ``TAKEN_BACK``, itself voided; ``WAITING`` for its target;
        else the reason why it changes nothing, in capitals.
        """
        unapplied = [item for item in self.unapplied if item.event_id == correction.event_id]
        whole = [item.reason for item in unapplied if item.path is None]
        if whole:
            return "WAITING" if whole[0] == "target_missing" else whole[0].upper()
        if correction.event_id in self.voided_ids:
            return "TAKEN_BACK"
        if not unapplied:
            return "APPLIED"
        changes = len(correction.event_json["changes"])
        return "PARTLY_APPLIED" if len(unapplied) < changes else unapplied[0].reason.upper()


def current_view(recorded: Iterable[RecordedEvent]) -> CurrentView:
    """Resolve the corrections among the events of one procedure.

    Pure: the same events in any order give the same view. Events of other procedures may be among
    them; a correction is never applied across procedures.
    """
    by_id = {event.event_id: event for event in recorded}
    corrections = [e for e in by_id.values() if e.type in CORRECTION_TYPES]
    unapplied: list[Unapplied] = []
    applicable: list[RecordedEvent] = []
    for correction in corrections:
        reason = _why_not(correction, by_id.get(target_id(correction)))
        if reason is None:
            applicable.append(correction)
        else:
            unapplied.append(_unapplied(correction, reason))
    voids = {e.event_id: target_id(e) for e in applicable if e.type == "EventVoided"}
    voided, circular = _resolve(voids)
    unapplied += [_unapplied(by_id[event_id], "circular") for event_id in circular]
    amendments: dict[UUID, list[RecordedEvent]] = defaultdict(list)
    for amendment in applicable:
        if amendment.type == "EventAmended":
            amendments[target_id(amendment)].append(amendment)
    originals = (event for event in by_id.values() if event.type not in CORRECTION_TYPES)
    events = tuple(
        _current(event, amendments.get(event.event_id, ()), voided, unapplied)
        for event in sorted(originals, key=lambda event: event.seq)
    )
    return CurrentView(
        events,
        tuple(sorted(unapplied, key=lambda item: (item.seq, item.path or ""))),
        frozenset(voided),
    )


def target_id(correction: RecordedEvent) -> UUID:
    """The event that an amendment or void is about."""
    return UUID(correction.event_json["target_event_id"])


def _unapplied(correction: RecordedEvent, reason: Reason, path: str | None = None) -> Unapplied:
    return Unapplied(correction.seq, correction.event_id, target_id(correction), path, reason)


def _why_not(correction: RecordedEvent, target: RecordedEvent | None) -> Reason | None:
    if target is None:
        return "target_missing"
    if _procedure_id(correction) != _procedure_id(target):
        return "other_procedure"
    seen = correction.event_json.get("target_content_hash")
    if seen is not None and bytes.fromhex(seen) != target.content_hash:
        return "hash_mismatch"
    if correction.type == "EventAmended" and target.type in CORRECTION_TYPES:
        return "targets_correction"
    if target.type == _SEAL:
        return "targets_seal"
    return None


def _procedure_id(event: RecordedEvent) -> UUID:
    return UUID(event.event_json["header"]["procedure_id"])


def _resolve(voids: Mapping[UUID, UUID]) -> tuple[set[UUID], set[UUID]]:
    """The events that are voided, and the voids that cannot be decided.

    A void is decided when every void of it is, or as soon as one of them is in force. What is
    left then voids each other in a circle.
    """
    undecided = Counter(voids.values())
    ready = [event_id for event_id in voids if not undecided[event_id]]
    voided: set[UUID] = set()
    decided: set[UUID] = set()
    while ready:
        void = ready.pop()
        if void in decided:
            continue
        decided.add(void)
        target = voids[void]
        undecided[target] -= 1
        if void not in voided:
            voided.add(target)
        if target in voids and (target in voided or not undecided[target]):
            ready.append(target)
    return voided, voids.keys() - decided


def _current(
    event: RecordedEvent,
    amendments: Sequence[RecordedEvent],
    voided: set[UUID],
    unapplied: list[Unapplied],
) -> CurrentEvent:
    changes: list[Change] = []
    supersessions = {}
    for amendment in amendments:
        given = amendment.event_json["changes"]
        supersessions[amendment.event_id] = [(one["path"], _superseded(one)) for one in given]
        if amendment.event_id not in voided:
            changes += _changes(amendment, event, unapplied)
    changes.sort(key=lambda change: (change.seq, change.position))
    document, in_force = _applied(event, changes, unapplied)
    undecided = rivals(changes, supersessions)
    concurrent = {(c.seq, c.position) for group in undecided.values() for c in group}
    return CurrentEvent(
        event,
        document,
        event.event_id in voided,
        tuple(
            FieldAmendment(
                change,
                in_force.get(change.path) is change,
                (change.seq, change.position) in concurrent,
            )
            for change in changes
        ),
        tuple(undecided),
    )


def _changes(
    amendment: RecordedEvent, target: RecordedEvent, unapplied: list[Unapplied]
) -> Iterator[Change]:
    for position, change in enumerate(amendment.event_json["changes"]):
        path = change["path"]
        try:
            value = new_value(target.type, target.event_json, path, change.get("value_json"))
        except ChangeRefused as refused:
            unapplied.append(_unapplied(amendment, refused.problem, path))
        else:
            superseded = _superseded(change)
            yield Change(amendment.seq, position, amendment.event_id, path, value, superseded)


def _superseded(change: Mapping[str, Any]) -> UUID | None:
    superseded = change.get("supersedes_event_id")
    return None if superseded is None else UUID(superseded)


def _applied(
    event: RecordedEvent, changes: Sequence[Change], unapplied: list[Unapplied]
) -> tuple[Mapping[str, Any], dict[str, Change]]:
    """The event as JSON after all changes, and by path the changes whose value it has."""
    document: Any = dict(event.event_json)
    in_force: dict[str, Change] = {}
    last = {change.path: change for change in changes}
    for change in sorted(last.values(), key=lambda c: (c.seq, c.position)):
        try:
            document = replaced(document, change.path, change.value)
        except PointerError:
            # It led somewhere in the original, but an earlier amendment took that place away.
            unapplied.append(
                Unapplied(change.seq, change.amended_by, event.event_id, change.path, "bad_path")
            )
            continue
        for path in [path for path in in_force if touches(change.path, path)]:
            del in_force[path]  # replaced with the value that holds it
        in_force[change.path] = change
    return document, in_force
