"""``cryotrail audit hold``: subjects whose text must not be erased for now."""

from __future__ import annotations

import argparse
from contextlib import closing
from uuid import UUID

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import time_text
from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings
from cryotrail_audit.erasure.holds import holds_in_force, release_hold, set_hold
from cryotrail_audit.store import open_store

_FOR_EVER = "It stays in the log for good: no names, dates or numbers of a patient."


def add_to(actions: Actions) -> None:
    """Add the parsers of its own actions."""
    parser = actions.add_parser(
        "hold", help="forbid the erasure of a subject's text, and allow it again"
    )
    inner = parser.add_subparsers(dest="hold_action", required=True, metavar="ACTION")
    setting = inner.add_parser("set", help="forbid it: a lawsuit, a recall, a retention rule")
    releasing = inner.add_parser("release", help="allow it again")
    for action in (setting, releasing):
        action.add_argument("subject", metavar="SUBJECT", type=UUID, help="subject_id")
        action.add_argument("--reason", required=True, help=f"why. {_FOR_EVER}")
        action.add_argument("--decided-by", required=True, metavar="NAME", help="staff id")
        add_json(action)
    releasing.add_argument(
        "--hold", type=int, metavar="SEQ", help="which one, where a subject is under several"
    )
    listing = inner.add_parser("list", help="the holds in force")
    add_json(listing)
    setting.set_defaults(run=run_set)
    releasing.set_defaults(run=run_release)
    listing.set_defaults(run=run_list)


def run_set(chosen: argparse.Namespace, settings: Settings) -> int:
    """Set a hold; returns 0."""
    with closing(open_store(settings.audit_url)) as store:
        seq = set_hold(store, chosen.subject, chosen.reason, chosen.decided_by)
    return _said(chosen, seq, "is under a hold")


def run_release(chosen: argparse.Namespace, settings: Settings) -> int:
    """Release a hold; returns 0.

    :raises AuditError: the subject is under no such hold, or under several and none was named.
    """
    with closing(open_store(settings.audit_url)) as store:
        seq = release_hold(store, chosen.subject, chosen.reason, chosen.decided_by, chosen.hold)
    return _said(chosen, seq, "is released from a hold")


def run_list(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print the holds in force; returns 0."""
    with closing(open_store(settings.audit_url)) as store:
        rows = [
            {
                "seq": hold.seq,
                "subject_id": str(hold.subject_id),
                "set_at": time_text(hold.set_us),
                "reason": hold.reason,
                "decided_by": hold.decided_by,
            }
            for hold in holds_in_force(store)
        ]
    if chosen.json:
        print_json(rows)
    elif rows:
        table(rows, ["seq", "subject_id", "set_at", "decided_by", "reason"])
    else:
        say("no subject is under a hold")
    return 0


def _said(chosen: argparse.Namespace, seq: int, what: str) -> int:
    if chosen.json:
        print_json({"seq": seq, "subject_id": str(chosen.subject)})
    else:
        print(f"subject {chosen.subject} {what} (entry {seq})")
    return 0
