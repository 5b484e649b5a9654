"""Events from text, one JSON object a line; a line that is refused says why, the rest go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryotrail_schemas.errors import EventRefused, FieldProblem
from cryotrail_schemas.events import Event
from cryotrail_schemas.identifiers import new_event_id
from cryotrail_schemas.json_form import event_from_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """A line that is an event; the outbox will take it."""

    line_no: int
    """1-based, blank lines counted."""
    event: Event
    has_new_id: bool
    """The line has no ``event_id``: fed again it would be another event."""


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no event, with all that is wrong with it."""

    line_no: int
    """1-based, blank lines counted."""
    problems: tuple[FieldProblem, ...]


def read_lines(
    lines: Iterable[bytes], check: Callable[[Event], object]
) -> Iterator[AcceptedLine | RefusedLine]:
    """Read events from UTF-8 lines, in order, as they come; blank lines are passed over.

    An event without ``event_id`` gets a new one, so feeding it twice counts twice.

    :param check: :meth:`Publisher.check` of the publisher that the events are for: what it refuses
        is to be known by its line.
    """
    for line_no, line in enumerate(lines, 1):
        text = line.removeprefix(_BYTE_ORDER_MARK).strip() if line_no == 1 else line.strip()
        if text:
            yield _read_line(line_no, text, check)


def _read_line(
    line_no: int, text: bytes, check: Callable[[Event], object]
) -> AcceptedLine | RefusedLine:
    new_id = new_event_id()
    try:
        event = event_from_json(_json_object(text), event_id_default=new_id)
        check(event)
    except EventRefused as refused:
        return RefusedLine(line_no, refused.problems)
    return AcceptedLine(line_no, event, has_new_id=event.header.event_id == new_id)


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            text.decode("utf-8-sig"),
            object_pairs_hook=_without_repetition,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise _refused(f"not JSON: {error.msg} at column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8: byte {error.start + 1} of the line") from error
    except ValueError as error:  # an integer of thousands of digits, which Python refuses to read
        raise _refused(f"not an event: {error}") from error
    except RecursionError as error:
        raise _refused("not an event: nested too deeply") from error
    if not isinstance(value, dict):
        raise _refused("an event is a JSON object")
    return value


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Python would silently keep the last of two, another reader the first.
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise EventRefused(None, [FieldProblem(name, "given twice")])
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise _refused(f"{name} is no JSON number")


def _refused(reason: str) -> EventRefused:
    return EventRefused(None, [FieldProblem("", reason)])
