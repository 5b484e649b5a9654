"""``cryotrail audit quarantine``: records that could not be read, and why."""

from __future__ import annotations

import argparse
from contextlib import closing

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import described, topic_name
from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.store import open_store


def add_to(actions: Actions) -> None:
    """Add the parsers of its own actions."""
    parser = actions.add_parser("quarantine", help="records that could not be read")
    inner = parser.add_subparsers(dest="quarantine_action", required=True, metavar="ACTION")
    listing = inner.add_parser("list", help="all of them, with the reason")
    add_json(listing)
    listing.set_defaults(run=run_list)
    showing = inner.add_parser("show", help="one of them with its bytes, as JSON")
    showing.add_argument("seq", metavar="SEQ", type=int)
    add_json(showing)
    showing.set_defaults(run=run_show)


def run_list(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print all of them; returns 0."""
    with closing(open_store(settings.audit_url)) as store:
        topics = store.topics()
        rows = [
            {
                "seq": entry.seq,
                "topic": topic_name(topics, entry),
                "partition": entry.part,
                "offset": entry.kafka_offset,
                "reason": entry.reason,
            }
            for entries in store.entries(kinds=(QUARANTINED,))
            for entry in entries
        ]
    if chosen.json:
        print_json(rows)
    elif rows:
        table(rows, ["seq", "topic", "partition", "offset", "reason"])
    else:
        say("nothing is in quarantine")
    return 0


def run_show(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print one of them; returns 0.

    :raises AuditError: the entry is not in quarantine.
    """
    seq = chosen.seq
    with closing(open_store(settings.audit_url)) as store:
        found = next(store.entries(after_seq=seq - 1, through_seq=seq, kinds=(QUARANTINED,)), None)
        if not found:
            raise AuditError(
                f"entry {seq} is not in quarantine", hint="cryotrail audit quarantine list"
            )
        print_json(described(store, found[0]))
    return 0
