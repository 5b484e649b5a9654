"""The changes of an ``EventAmended``: what each would make of its target, or why it cannot.

A change names a path (JSON pointer, RFC 6901) of the event as JSON, its new value as JSON text and
the amendment whose value its author saw there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from uuid import UUID

from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.datum.composites import Record
from cryotrail_schemas.errors import FieldProblem
from cryotrail_schemas.events import EVENT_CLASSES
from cryotrail_schemas.json_pointer import PointerError, parse, replaced
from cryotrail_schemas.json_text import parse_json_text

ChangeProblem = Literal[
    "bad_path",  # no such field in the target, or one that says which event it is
    "bad_value",  # not JSON, or not a value that the field can hold
    "encrypted",  # the value is in personal_ciphertext
]


class ChangeRefused(Exception):
    """One change changes nothing."""

    def __init__(self, problem: ChangeProblem) -> None:
        super().__init__(problem)
        self.problem: ChangeProblem = problem


class Change(NamedTuple):
    """One change that can be made, of an amendment that nobody took back.

    The order of the fields is the order of precedence.
    """

    seq: int
    """Of the amendment in the store."""
    position: int
    """Among the changes of its amendment, from 0."""
    amended_by: UUID
    path: str
    value: Any
    """As ``event_to_json`` writes it."""
    supersedes: UUID | None
    """The amendment whose value its author replaced; None = the original's."""


def touches(path: str, other: str) -> bool:
    """Whether the value at ``path`` holds the one at ``other``, or is it."""
    return other == path or other.startswith(f"{path}/")


def new_value(event_type: str, event_json: Mapping[str, Any], path: str, text: str | None) -> Any:
    """The value that a change gives to an event, as the event's JSON holds it.

    :raises ChangeRefused: the changed field, on its own, is none that the type can hold.
    """
    if text is None:
        raise ChangeRefused("encrypted")
    try:
        value = parse_json_text(text)
    except ValueError:
        raise ChangeRefused("bad_value") from None
    try:
        tokens = parse(path)
        changed = replaced(dict(event_json), path, value)
    except PointerError:
        raise ChangeRefused("bad_path") from None
    # An event that had another identity, type or procedure would be another event.
    if tokens in ([], ["type"], ["header"], ["header", "event_id"], ["header", "procedure_id"]):
        raise ChangeRefused("bad_path")
    if event_type not in EVENT_CLASSES:
        return value
    form: Any = record_form(event_type)
    depth = 2 if tokens[0] == "header" else 1
    for token in tokens[:depth]:
        assert isinstance(form, Record)
        if token not in form.fields:
            raise ChangeRefused("bad_path")
        if changed.get(token) is None and token in form.required:
            raise ChangeRefused("bad_value")
        form, changed = form.fields[token], changed.get(token)
    problems: list[FieldProblem] = []
    field = form.read_json(changed, path, problems)
    if problems:
        raise ChangeRefused("bad_value")
    # ISO 8601 has many ways to write one time, and readers of the view know only ours.
    written = form.to_json(field)
    for token in tokens[depth:]:
        written = written[int(token)] if isinstance(written, list) else written.get(token)
    return written
