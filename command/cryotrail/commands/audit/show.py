"""``cryotrail audit show``: an event as it was published, and what has become of it."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any
from uuid import UUID

from cryotrail.argument_types import add_as_of, say_if_to_come
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import described, time_text
from cryotrail.console import print_json
from cryotrail.personal_reading import personal_block
from cryotrail.settings import Settings
from cryotrail_audit.as_of import Correction, KnownEvent, known_event, resolved_size
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import open_store
from cryotrail_schemas.corrections import CurrentEvent, FieldAmendment

_DESCRIPTION = """\
One event: its entry with bytes, hashes and place in Kafka, what was published, the corrections of
it with what each of them does, and the event as they leave it. With --as-of, what was known then.
Personal text that was encrypted stands under "personal", read where its key is at hand; else it
says "erased" or "key not at hand".
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "show",
        help="the entry of an event with its corrections, as JSON",
        description=_DESCRIPTION,
    )
    parser.add_argument("event_id", metavar="EVENT_ID", type=UUID)
    add_as_of(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print the event; returns 0.

    :raises AuditError: no entry has this event id, or had it then.
    """
    say_if_to_come(chosen.as_of)
    with closing(open_store(settings.audit_url)) as store:
        size = resolved_size(store, recorded_us=chosen.as_of, seq=chosen.as_of_seq)
        if size == 0 and store.head().tree_size > 0:
            raise AuditError(
                f"nothing was known then: the log began at {time_text(store.head(1).recorded_us)}",
                hint="--as-of is a time of the store's clock, not of the procedure",
            )
        known = known_event(store, chosen.event_id, size)
        if known is None:
            raise AuditError(
                f"no entry has the event id {chosen.event_id} among the first {size}",
                hint="it may still wait in an outbox (cryotrail outbox status), or have been"
                " recorded later",
            )
        shown = described(store, known.entry)
        shown["personal"] = personal_block(settings, store, shown["event"])
        of_corrections = [
            personal_block(settings, store, item.event_json) for item in known.corrections
        ]
    print_json({**shown, **_known(known, of_corrections)})
    return 0


def _known(known: KnownEvent, personal: list[dict[str, Any] | None]) -> dict[str, Any]:
    """What was known: the log's size, the corrections, the event after them.

    :param personal: the encrypted text of each correction, as far as it can be read here.
    """
    return {
        "known": {
            "tree_size": known.head.tree_size,
            "last_seq": known.head.tree_size - 1,
            "recorded_at": time_text(known.head.recorded_us),
        },
        "verdict": known.verdict,
        "corrections": [
            {**_correction(item, known.current), "personal": text}
            for item, text in zip(known.corrections, personal, strict=True)
        ],
        "current": None if known.current is None else _current(known.current),
    }


def _correction(correction: Correction, current: CurrentEvent | None) -> dict[str, Any]:
    entry, document, verdict, place = correction
    return {
        "seq": place,
        "event_id": document["header"]["event_id"],
        "event_type": entry.event_type,
        "recorded_at": time_text(entry.recorded_us),
        "target_event_id": document["target_event_id"],
        "reason": document.get("reason"),
        "verdict": verdict,
        "changes": document.get("changes"),
        "amendments": [
            _amendment(item)
            for item in (() if current is None else current.amendments)
            if item.change.seq == place
        ],
    }


def _amendment(item: FieldAmendment) -> dict[str, Any]:
    return {
        "path": item.change.path,
        "value": item.change.value,
        "is_in_force": item.is_in_force,
        "is_concurrent": item.is_concurrent,
    }


def _current(current: CurrentEvent) -> dict[str, Any]:
    return {
        "is_voided": current.voided,
        "amended_paths": list(current.amended_paths),
        "concurrent_paths": list(current.concurrent_paths),
        "event": current.event_json,
    }
