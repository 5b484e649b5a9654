"""What each correction changes, a row a change: original and current value side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cryotrail_schemas.corrections import (
    CORRECTION_TYPES,
    CurrentEvent,
    CurrentView,
    RecordedEvent,
    target_id,
)
from cryotrail_schemas.json_pointer import PointerError, value_at
from cryotrail_schemas.personal import is_personal_path

CHANGE_COLUMNS: Final = {
    "event_id": "UUID",
    "position": "INTEGER",
    "target_event_id": "UUID",
    "target_event_type": "VARCHAR",
    "path": "VARCHAR",
    "original_value": "VARCHAR",
    "value": "VARCHAR",
    "supersedes_event_id": "UUID",
    "status": "VARCHAR",
    "is_concurrent": "BOOLEAN",
}
"""Columns of the temporary table ``correction_change``; values are JSON text."""


def correction_rows(
    recorded: Sequence[RecordedEvent], view: CurrentView
) -> Iterator[dict[str, Any]]:
    """The rows of every correction among the events of a procedure.

    A void has one row, without a path. A change that changes nothing has its value as its author
    wrote it. Personal values are left out: marts hold none.
    """
    by_id = {event.event_id: event for event in recorded}
    current = {event.original.event_id: event for event in view.events}
    for correction in recorded:
        if correction.type not in CORRECTION_TYPES:
            continue
        target = by_id.get(target_id(correction))
        shared = {
            "event_id": str(correction.event_id),
            "position": 0,
            "target_event_id": str(target_id(correction)),
            "target_event_type": None if target is None else target.type,
            "path": None,
            "original_value": None,
            "value": None,
            "supersedes_event_id": None,
            "status": _status(view.verdict(correction)),
            "is_concurrent": False,
        }
        if correction.type == "EventAmended":
            amended = current.get(target_id(correction))
            yield from (shared | row for row in _changes(correction, target, amended, view))
        else:
            yield shared


def _status(verdict: str) -> str:
    return "IN_FORCE" if verdict in ("APPLIED", "PARTLY_APPLIED") else verdict


def _changes(
    correction: RecordedEvent,
    target: RecordedEvent | None,
    amended: CurrentEvent | None,
    view: CurrentView,
) -> Iterator[dict[str, Any]]:
    of_target = () if amended is None else amended.amendments
    made = {i.change.position: i for i in of_target if i.change.seq == correction.seq}
    problems = {i.path: i.reason for i in view.unapplied if i.event_id == correction.event_id}
    for position, change in enumerate(correction.event_json["changes"]):
        path = change["path"]
        row: dict[str, Any] = {
            "position": position,
            "path": path,
            "supersedes_event_id": change.get("supersedes_event_id"),
        }
        item = made.get(position)
        if item is not None:
            row["status"] = "IN_FORCE" if item.is_in_force else "REPLACED"
            row["is_concurrent"] = item.is_concurrent
        if path in problems and row.get("status") != "IN_FORCE":
            row["status"] = problems[path].upper()
        if not is_personal_path(path):
            if target is not None:
                row["original_value"] = _text_at(target.event_json, path)
                if row["original_value"] == "null" and row.get("status") == "BAD_PATH":
                    row["original_value"] = None  # a field that is not there holds no null
            row["value"] = (
                change.get("value_json") if item is None else json.dumps(item.change.value)
            )
        yield row


def _text_at(document: Mapping[str, Any], path: str) -> str | None:
    try:
        return json.dumps(value_at(document, path))
    except PointerError:
        return None
