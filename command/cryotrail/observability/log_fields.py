"""What of a log record reaches a line: an allow-list of fields, and no free text of strangers.

A deny-list would have to know every way in which a name gets into a log. So only the fields below
pass, each with a form of its own; whatever else somebody hung on a record is dropped and counted.
Of an exception the classes and places are said, and the message only where it is one of ours,
which name files, topics, ids and numbers and never quote what a record holds.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

from cryotrail_schemas.errors import CryotrailError

Fields = MutableMapping[str, Any]
"""One log line on its way, as structlog hands it from step to step."""

DROPPED: Final = "dropped_fields"
"""How many fields of a record were no fields of a line."""

_LONGEST_TEXT: Final = 1000
_FRAMES: Final = 5
_OWN: Final = ("cryotrail", "py.warnings")


def _matching(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: bool(compiled.fullmatch(str(value)))


_UUID: Final = _matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD: Final = _matching(r"[a-z][a-z0-9_.]{0,59}")
_NAME: Final = _matching(r"[A-Z][A-Za-z]{0,59}")
_NUMBER: Final = _matching(r"-?\d{1,19}(\.\d{1,9})?")

ALLOWED: Final[dict[str, Callable[[Any], bool]]] = {
    "trace_id": _matching(r"[0-9a-f]{32}"),
    "event_id": _UUID,
    "event_type": _NAME,
    "topic": _matching(r"[a-z][a-z0-9._-]{0,99}"),
    "partition": _NUMBER,
    "offset": _NUMBER,
    "reason": _WORD,
    "count": _NUMBER,
}
"""The fields of a line beside ``ts level event logger``, and what each may look like."""


def only_allowed(_logger: object, _method: str, fields: Fields) -> Fields:
    """Keep of the extra fields those that are allowed and look as they should; count the rest."""
    record = fields["_record"]
    kept: dict[str, Any] = {}
    dropped = 0
    for name, value in vars(record).items():
        if name in _STANDARD or value is None:
            continue
        looks_right = ALLOWED.get(name)
        if looks_right is not None and looks_right(value):
            kept[name] = value if isinstance(value, int | float | bool) else str(value)
        else:
            dropped += 1
    fields.update(kept)
    if dropped:
        fields[DROPPED] = dropped
    return fields


def plain_text(_logger: object, _method: str, fields: Fields) -> Fields:
    """Bound the message, and take of a foreign library's what it wrote itself, without the rest.

    Its arguments may quote a record; its template does not.
    """
    record = fields["_record"]
    text = str(fields["event"]) if record.name.startswith(_OWN) else str(record.msg)
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}…"
    fields["event"] = text
    return fields


def exception_in_short(_logger: object, _method: str, fields: Fields) -> Fields:
    """Say of an exception what it is and where it came from."""
    fields.pop("stack_info", None)
    exc_info = fields.pop("exc_info", None)
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        fields["error"] = " ← ".join(_classes(error))
        fields["error_at"] = " ← ".join(_places(error))
        if isinstance(error, CryotrailError):
            fields["error_text"] = str(error)[:_LONGEST_TEXT]
    return fields


def _classes(error: BaseException) -> list[str]:
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < _FRAMES:
        found.append(type(seen).__qualname__)
        seen = seen.__cause__ or seen.__context__
    return found


def _places(error: BaseException) -> list[str]:
    """The innermost frames first: file, line and function, never a line of source or a value."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(frames)]


# What every record has, and what formatters add to it.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
