"""``cryotrail audit show``: the entry of an event."""

from __future__ import annotations

import argparse
from contextlib import closing
from uuid import UUID

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import described
from cryotrail.console import print_json
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import open_store


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser("show", help="the entry of an event, as JSON")
    parser.add_argument("event_id", metavar="EVENT_ID", type=UUID)
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print the entry; returns 0.

    :raises AuditError: no entry has this event id.
    """
    with closing(open_store(settings.audit_url)) as store:
        entry = store.entry_of(chosen.event_id)
        if entry is None:
            raise AuditError(
                f"no entry has the event id {chosen.event_id}",
                hint="it may still wait in an outbox: cryotrail outbox status",
            )
        print_json(described(store, entry))
    return 0
