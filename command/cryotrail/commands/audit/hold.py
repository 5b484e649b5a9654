"""``cryotrail audit hold``: subjects whose text must not be erased for now."""

from __future__ import annotations

import argparse
from contextlib import closing
from uuid import UUID

from cryotrail.argument_types import entry_number, one_line
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import time_text
from cryotrail.console import print_json, progress, say, table
from cryotrail.personal_keys import existing_keys
from cryotrail.settings import Settings
from cryotrail_audit.erasure.holds import holds_in_force, release_hold, set_hold
from cryotrail_audit.erasure.trace import knows_subject
from cryotrail_audit.errors import ErasureRefused
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_schemas.personal import subject_scope

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
        action.add_argument("--reason", type=one_line, required=True, help=f"why. {_FOR_EVER}")
        action.add_argument(
            "--decided-by", type=one_line, required=True, metavar="NAME", help="staff id"
        )
        add_json(action)
    setting.add_argument(
        "--unknown-subject",
        action="store_true",
        help="accept a subject that neither the log nor the key store knows yet",
    )
    releasing.add_argument(
        "--hold",
        type=entry_number,
        metavar="SEQ",
        help="which one, where a subject is under several",
    )
    listing = inner.add_parser("list", help="the holds in force")
    add_json(listing)
    setting.set_defaults(run=run_set)
    releasing.set_defaults(run=run_release)
    listing.set_defaults(run=run_list)


def run_set(chosen: argparse.Namespace, settings: Settings) -> int:
    """Set a hold; returns 0. The same hold again adds nothing.

    :raises ErasureRefused: nobody knows the subject, and --unknown-subject was not given.
    """
    with closing(open_store(settings.audit_url)) as store:
        for hold in holds_in_force(store, chosen.subject):
            if (hold.reason, hold.decided_by) == (chosen.reason, chosen.decided_by):
                return _said(chosen, hold.seq, "is under this hold already, nothing was added")
        if not chosen.unknown_subject:
            _refuse_unknown(chosen.subject, settings, store)
        seq = set_hold(store, chosen.subject, chosen.reason, chosen.decided_by)
    return _said(chosen, seq, "is under a hold")


def _refuse_unknown(subject: UUID, settings: Settings, store: AuditStore) -> None:
    """A typing error must not put a hold on nobody, or on another person."""
    with existing_keys(settings) as keys:
        if keys is not None and keys.scopes(subject_scope(subject)):
            return
    with progress("reading the log", store.head().tree_size) as advance:
        if knows_subject(store, subject, advance):
            return
    raise ErasureRefused(
        f"no hold was set: neither the log nor the key store knows a subject {subject}",
        hint="is it the subject_id of the events' headers? --unknown-subject if the subject's"
        " first event is still to come",
    )


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
