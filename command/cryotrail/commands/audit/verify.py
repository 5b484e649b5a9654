"""``cryotrail audit verify``: read every byte and recompute everything."""

from __future__ import annotations

import argparse
from contextlib import closing

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, progress, say
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser("verify", help="read every byte and recompute everything")
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Verify the store; returns 1 when it is broken."""
    url = settings.audit_url
    with progress("verifying", _size(url)) as advance:
        found = verify(url, advance)
    if chosen.json:
        print_json(found._asdict() | {"root": found.root.hex()})
    elif found.result == "broken":
        where = "" if found.first_broken_seq is None else f" at entry {found.first_broken_seq}"
        print(f"broken{where}: {found.reason}")
    else:
        print(f"{found.result}: {found.size} entries, root {found.root.hex()}")
        say("no outside anchor: keep size and root where the database's owner cannot reach them")
    return 1 if found.result == "broken" else 0


def _size(url: str) -> int | None:
    """How much there is to verify; None = the store cannot say, and verification tells why."""
    try:
        with closing(open_store(url)) as store:
            return store.head().tree_size
    except AuditError:
        return None
