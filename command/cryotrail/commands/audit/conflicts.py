"""``cryotrail audit conflicts``: event ids that came again with other content."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any
from uuid import UUID

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import described, numbered, time_text
from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import CONFLICT, Entry
from cryotrail_audit.store import AuditStore, open_store


def add_to(actions: Actions) -> None:
    """Add the parsers of its own actions."""
    parser = actions.add_parser("conflicts", help="event ids that came again with other content")
    inner = parser.add_subparsers(dest="conflicts_action", required=True, metavar="ACTION")
    listing = inner.add_parser("list", help="all of them, with the event that counts")
    add_json(listing)
    listing.set_defaults(run=run_list)
    showing = inner.add_parser("show", help="one of them beside the event that counts, as JSON")
    showing.add_argument("seq", metavar="SEQ", type=int)
    add_json(showing)
    showing.set_defaults(run=run_show)


def run_list(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print all of them; returns 0."""
    with closing(open_store(settings.audit_url)) as store:
        rows = [_row(store, entry) for found in store.entries(kinds=(CONFLICT,)) for entry in found]
    if chosen.json:
        print_json(rows)
    elif rows:
        table(rows, ["seq", "event_seq", "event_type", "event_id", "recorded_at", "reason"])
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
    print_json({"event": ours, "conflict": theirs, "differing_paths": _differing(ours, theirs)})
    return 0


def _row(store: AuditStore, entry: Entry) -> dict[str, Any]:
    return {
        **numbered(store, entry),
        "event_seq": store.place_of(_event(store, entry)),
        "event_id": str(UUID(bytes=entry.event_id)),
        "event_type": entry.event_type,
        "procedure_id": None if entry.procedure_id is None else str(UUID(bytes=entry.procedure_id)),
        "recorded_at": time_text(entry.recorded_us),
        "reason": entry.reason,
        "source_seq": entry.source_seq,
    }


def _event(store: AuditStore, conflict: Entry) -> Entry:
    """The event that came first under the id, which counts."""
    event = store.entry_of(UUID(bytes=conflict.event_id))
    assert event is not None  # a conflict has an event before it
    return event


def _differing(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str] | None:
    """JSON pointers of the fields in which the two differ; None when one cannot be read."""
    if ours["event"] is None or theirs["event"] is None:
        return None
    return sorted(_pointers(ours["event"], theirs["event"], ""))


def _pointers(one: Any, other: Any, at: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            pointer
            for name in {**one, **other}
            for pointer in _pointers(one.get(name), other.get(name), f"{at}/{name}")
        ]
    return [] if one == other else [at]
