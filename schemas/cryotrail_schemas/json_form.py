"""An event as JSON: what files, tests and the gateway hold.

.. code-block:: json

    {"type": "FreezeStarted",
     "header": {"procedure_id": "0c6f2f5e-…", "occurred_at": "2026-11-22T10:24:00Z", "…": "…"},
     "probe_id": "1", "cycle_no": 1}

The record's own fields stand beside ``header``. Identities are UUID text, times ISO 8601 with a
zone, days ``YYYY-MM-DD``, symbols themselves, bytes hexadecimal text. An absent field is null.
Delivery numbers are no part of the event and are refused like any unknown field.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.datum.form import described
from cryotrail_schemas.errors import EventRefused, FieldProblem
from cryotrail_schemas.events import EVENT_CLASSES, Event


def event_from_json(value: Mapping[str, Any], *, event_id_default: UUID | None = None) -> Event:
    """The event that a JSON object stands for.

    :param event_id_default: the identity of an event whose header gives none; with neither, the
        missing ``header.event_id`` is a problem.
    :raises EventRefused: with every problem: unknown type or field (naming the field to use when
        only the unit differs), wrong kind, missing field, naive time, a unit that is not the
        analyte's, a value that the contract refuses.
    """
    if not isinstance(value, Mapping):
        raise EventRefused(None, [FieldProblem("", f"expected an object, got {described(value)}")])
    name = value.get("type")
    if not isinstance(name, str) or name not in EVENT_CLASSES:
        raise EventRefused(None, [FieldProblem("type", _why_no_type(name))])
    fields = {key: item for key, item in value.items() if key != "type"}
    header = fields.get("header")
    if (
        event_id_default is not None
        and isinstance(header, Mapping)
        and header.get("event_id") is None
    ):
        fields["header"] = {**header, "event_id": str(event_id_default)}
    problems: list[FieldProblem] = []
    event = record_form(name).read_json(fields, "", problems)
    if problems:
        raise EventRefused(name, problems)
    assert isinstance(event, Event)
    return event


def event_to_json(event: Event) -> dict[str, Any]:
    """The JSON object that stands for an event; fields that are null are left out."""
    name = type(event).TYPE
    return {"type": name, **record_form(name).to_json(event)}


def _why_no_type(name: object) -> str:
    if name is None:
        return "required, and missing"
    close = get_close_matches(name, EVENT_CLASSES, n=1) if isinstance(name, str) else []
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown event type {name!r}{hint}"
