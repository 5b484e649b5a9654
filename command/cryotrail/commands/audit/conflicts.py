"""``cryotrail audit conflicts``: event ids that came again with other content."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from uuid import UUID

from cryotrail.argument_types import entry_number
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import described, numbered, time_text
from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings
from cryotrail_audit.decoded import decoded_event
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import CONFLICT, Entry, StoredSchema
from cryotrail_audit.store import AuditStore, open_store


def add_to(actions: Actions) -> None:
    """Add the parsers of its own actions."""
    parser = actions.add_parser("conflicts", help="event ids that came again with other content")
    inner = parser.add_subparsers(dest="conflicts_action", required=True, metavar="ACTION")
    listing = inner.add_parser("list", help="all of them, with the event that counts")
    add_json(listing)
    listing.set_defaults(run=run_list)
    showing = inner.add_parser("show", help="one of them beside the event that counts, as JSON")
    showing.add_argument("seq", metavar="SEQ", type=entry_number)
    add_json(showing)
    showing.set_defaults(run=run_show)


def run_list(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print all of them; returns 0."""
    with closing(open_store(settings.audit_url)) as store:
        schemas = store.schemas()
        conflicts = (entry for found in store.entries(kinds=(CONFLICT,)) for entry in found)
        rows = [_row(store, entry, schemas) for entry in conflicts]
    if chosen.json:
        print_json(rows)
    elif rows:
        shown = [row | {"differs": _in_words(row["differing_paths"])} for row in rows]
        table(shown, ["seq", "event_seq", "event_type", "event_id", "recorded_at", "differs"])
    else:
        say("no event id came again with other content")
    return 0


def run_show(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print one of them; returns 0.

    :raises AuditError: the entry is no conflict.
    """
    seq = chosen.seq
    with closing(open_store(settings.audit_url)) as store:
        found = next(store.entries(after_seq=seq - 1, through_seq=seq, kinds=(CONFLICT,)), None)
        if not found:
            raise AuditError(f"entry {seq} is no conflict", hint="cryotrail audit conflicts list")
        first = _event(store, found[0])
        ours, theirs = described(store, first), described(store, found[0])
    print_json(
        {
            "event": ours,
            "conflict": theirs,
            "differing_paths": _differing(ours["event"], theirs["event"]),
        }
    )
    return 0


def _row(store: AuditStore, entry: Entry, schemas: Mapping[bytes, StoredSchema]) -> dict[str, Any]:
    event = _event(store, entry)
    return {
        **numbered(store, entry),
        "event_seq": store.place_of(event),
        "event_id": str(UUID(bytes=entry.event_id)),
        "event_type": entry.event_type,
        "procedure_id": None if entry.procedure_id is None else str(UUID(bytes=entry.procedure_id)),
        "recorded_at": time_text(entry.recorded_us),
        "reason": entry.reason,
        "source_seq": entry.source_seq,
        "differing_paths": _differing(decoded_event(event, schemas), decoded_event(entry, schemas)),
    }


def _in_words(paths: list[str] | None) -> str:
    if paths is None:
        return "one of them cannot be read"
    return ", ".join(paths) or "only the bytes"


def _event(store: AuditStore, conflict: Entry) -> Entry:
    """The event that came first under the id, which counts."""
    event = store.entry_of(UUID(bytes=conflict.event_id))
    assert event is not None  # a conflict has an event before it
    return event


def _differing(
    ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None
) -> list[str] | None:
    """JSON pointers of the fields in which the two differ; None when one cannot be read."""
    if ours is None or theirs is None:
        return None
    return sorted(_pointers(ours, theirs, ""))


def _pointers(one: Any, other: Any, at: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            pointer
            for name in {**one, **other}
            for pointer in _pointers(one.get(name), other.get(name), f"{at}/{name}")
        ]
    return [] if one == other else [at]
