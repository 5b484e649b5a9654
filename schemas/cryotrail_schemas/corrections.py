"""What holds now: the events of a procedure after every amendment and void.

Corrections are events, never edits. The rules:

- An ``EventAmended`` targets an original. Per path the amendment in force with the highest ``seq``
  gives the value; two in force that supersede the same value are *concurrent*, shown for decision.
- An ``EventVoided`` targets any event. Voiding an ``EventAmended`` takes the amendment back;
  voiding an ``EventVoided`` restores its target.
- A correction, or one change of it, that cannot be applied changes nothing and is listed with the
  reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.datum.composites import Record
from cryotrail_schemas.errors import FieldProblem
from cryotrail_schemas.events import EVENT_CLASSES
from cryotrail_schemas.json_pointer import PointerError, parse, replaced
from cryotrail_schemas.json_text import parse_json_text

CORRECTION_TYPES: Final = frozenset({"EventAmended", "EventVoided"})

Reason = Literal[
    "target_missing",  # it waits: the target has not arrived
    "hash_mismatch",  # its author saw another content of the target
    "other_procedure",  # it carries another procedure_id than its target
    "targets_correction",  # an amendment of a correction: amend the original instead
    "circular",  # voids that void each other
    "bad_path",  # no such field in the target, or one that says which event it is
    "bad_value",  # not JSON, or not a value that the field can hold
    "encrypted",  # the value is in personal_ciphertext
]


class RecordedEvent(NamedTuple):
    """An event as the store has it."""

    seq: int
    event_id: UUID
    type: str
    event_json: Mapping[str, Any]
    """The event as JSON (``json_form``)."""
    content_hash: bytes
    """SHA-256 of its body."""


@dataclass(frozen=True, slots=True)
class CurrentEvent:
    """An original and what has become of it."""

    original: RecordedEvent
    event_json: Mapping[str, Any]
    """The event as JSON with every amendment in force; of a voided one as well. An amended value
    is written as ``event_to_json`` writes it, in whichever way its author wrote it."""
    voided: bool
    amended_paths: tuple[str, ...]
    """JSON pointers of the fields that an amendment in force gives, sorted."""
    concurrent_paths: tuple[str, ...]
    """Those on which two amendments in force supersede the same value, sorted."""


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


class _ChangeRefused(Exception):
    """One change changes nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Change(NamedTuple):
    """One change of an amendment in force; the order of the fields is the order of precedence."""

    seq: int
    position: int
    amended_by: UUID
    path: str
    value: Any
    supersedes: str | None


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
        reason = _why_not(correction, by_id.get(_target_id(correction)))
        if reason is None:
            applicable.append(correction)
        else:
            unapplied.append(_unapplied(correction, reason))
    voids = {e.event_id: _target_id(e) for e in applicable if e.type == "EventVoided"}
    voided, circular = _resolve(voids)
    unapplied += [_unapplied(by_id[event_id], "circular") for event_id in circular]
    changes: dict[UUID, list[_Change]] = defaultdict(list)
    for amendment in applicable:
        if amendment.type == "EventAmended" and amendment.event_id not in voided:
            target = by_id[_target_id(amendment)]
            changes[target.event_id] += _changes(amendment, target, unapplied)
    originals = (event for event in by_id.values() if event.type not in CORRECTION_TYPES)
    events = tuple(
        _current(event, changes[event.event_id], event.event_id in voided, unapplied)
        for event in sorted(originals, key=lambda event: event.seq)
    )
    return CurrentView(
        events,
        tuple(sorted(unapplied, key=lambda item: (item.seq, item.path or ""))),
        frozenset(voided),
    )


def _target_id(correction: RecordedEvent) -> UUID:
    return UUID(correction.event_json["target_event_id"])


def _unapplied(correction: RecordedEvent, reason: Reason, path: str | None = None) -> Unapplied:
    target_id = _target_id(correction)
    return Unapplied(correction.seq, correction.event_id, target_id, path, reason)


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


def _changes(
    amendment: RecordedEvent, target: RecordedEvent, unapplied: list[Unapplied]
) -> Iterator[_Change]:
    for position, change in enumerate(amendment.event_json["changes"]):
        path, text = change["path"], change.get("value_json")
        try:
            value = _new_value(target, path, text)
        except _ChangeRefused as refused:
            unapplied.append(_unapplied(amendment, refused.reason, path))
        else:
            supersedes = change.get("supersedes_event_id")
            yield _Change(amendment.seq, position, amendment.event_id, path, value, supersedes)


def _new_value(target: RecordedEvent, path: str, text: str | None) -> Any:
    """The value that a change gives, as the target's JSON holds it.

    :raises _ChangeRefused: the changed field, on its own, is none that the target's type can hold.
    """
    if text is None:
        raise _ChangeRefused("encrypted")
    try:
        value = parse_json_text(text)
    except ValueError:
        raise _ChangeRefused("bad_value") from None
    try:
        tokens = parse(path)
        changed = replaced(dict(target.event_json), path, value)
    except PointerError:
        raise _ChangeRefused("bad_path") from None
    # An event that had another identity, type or procedure would be another event.
    if tokens in ([], ["type"], ["header"], ["header", "event_id"], ["header", "procedure_id"]):
        raise _ChangeRefused("bad_path")
    if target.type not in EVENT_CLASSES:
        return value
    form: Any = record_form(target.type)
    depth = 2 if tokens[0] == "header" else 1
    for token in tokens[:depth]:
        assert isinstance(form, Record)
        if token not in form.fields:
            raise _ChangeRefused("bad_path")
        if changed.get(token) is None and token in form.required:
            raise _ChangeRefused("bad_value")
        form, changed = form.fields[token], changed.get(token)
    problems: list[FieldProblem] = []
    field = form.read_json(changed, path, problems)
    if problems:
        raise _ChangeRefused("bad_value")
    # ISO 8601 has many ways to write one time, and readers of the view know only ours.
    written = form.to_json(field)
    for token in tokens[depth:]:
        written = written[int(token)] if isinstance(written, list) else written.get(token)
    return written


def _current(
    event: RecordedEvent, changes: list[_Change], voided: bool, unapplied: list[Unapplied]
) -> CurrentEvent:
    document: Any = dict(event.event_json)
    in_force = {
        change.path: change for change in sorted(changes, key=lambda c: (c.seq, c.position))
    }
    for change in sorted(in_force.values(), key=lambda c: (c.seq, c.position)):
        try:
            document = replaced(document, change.path, change.value)
        except PointerError:
            # It led somewhere in the original, but an earlier amendment took that place away.
            del in_force[change.path]
            lost = Unapplied(change.seq, change.amended_by, event.event_id, change.path, "bad_path")
            unapplied.append(lost)
    # An amendment counts once for a path, however often it names it.
    superseding = {(change.path, change.supersedes, change.amended_by) for change in changes}
    rivals = Counter((path, supersedes) for path, supersedes, _ in superseding)
    concurrent = {path for (path, _), count in rivals.items() if count > 1}
    return CurrentEvent(event, document, voided, tuple(sorted(in_force)), tuple(sorted(concurrent)))
