"""``cryotrail audit init``: create the store, or upgrade it."""

from __future__ import annotations

import argparse

from cryotrail.commands.audit.actions import Actions
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import migrate


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser("init", help="create the store, or upgrade it; may be repeated")
    parser.add_argument(
        "--origin",
        metavar="NAME",
        help="the log's name for all time, such as hospital.example/cryoablation",
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Create or upgrade the store; returns 0.

    :raises AuditError: the store exists and has another name.
    """
    name = migrate(settings.audit_url, origin=chosen.origin)
    if chosen.origin is not None and name != chosen.origin:
        raise AuditError(
            f"the store exists already, and its log is named {name}",
            hint="a log keeps its name for all time",
        )
    print(f"the audit store is ready; its log is named {name}")
    return 0
