"""``cryotrail audit anchor``: how far the log is anchored outside, and anchoring it now."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import asdict, replace

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import time_text
from cryotrail.console import print_json, say, table
from cryotrail.log_signing import anchoring, pinned_log_key, public_file
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints.anchors.anchoring import AnchorState, in_words
from cryotrail_audit.checkpoints.errors import AnchorFailed, KeyRefused
from cryotrail_audit.checkpoints.stored import SignedNotes

DESCRIPTION = """\
Anchors keep signed checkpoints where the owner of the database cannot change them. The signer uses
those that CRYOTRAIL_ANCHORS names, hourly and whenever a procedure ended:

  file:FOLDER     a file <size>.note each: a share of another machine, write-once storage
  git:FOLDER      the same, committed to a git repository
  rfc3161:URL     a token of a time-stamp authority, kept beside the signer's memory; its root
                  certificate is CRYOTRAIL_ANCHOR_TSA_CA_FILE

A place that fails is tried again every minute and never stops the signer.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "anchor",
        help="places outside that hold signed checkpoints",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inner = parser.add_subparsers(dest="anchor_action", required=True, metavar="ACTION")
    status = inner.add_parser("status", help="what each place holds")
    status.set_defaults(run=run_status)
    running = inner.add_parser("run", help="bring the newest checkpoint to every place now")
    running.set_defaults(run=run_now)
    for action in (status, running):
        add_json(action)


def run_status(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print how each place stands."""
    _print(anchoring(settings).states(), chosen.json)
    return 0


def run_now(chosen: argparse.Namespace, settings: Settings) -> int:
    """Anchor the newest signed checkpoint; returns 1 when a place did not take it."""
    pinned = pinned_log_key(settings)
    if pinned is None:
        raise KeyRefused(f"there is no public key {public_file(settings.log_key_file)}")
    with closing(SignedNotes.open(settings.audit_url)) as notes:
        kept = notes.newest_kept(pinned)
    if kept is None:
        raise AnchorFailed(
            "the store has no signed checkpoint yet", hint="cryotrail audit sign --once"
        )
    if not settings.anchors:
        raise AnchorFailed(
            "no place outside is configured, so there is none to anchor in",
            hint="set CRYOTRAIL_ANCHORS, such as file:/mnt/worm: cryotrail audit anchor --help",
        )
    states = anchoring(settings).keep(kept, at_once=True)
    _print(states, chosen.json)
    return 1 if any(state.problem for state in states) else 0


def _print(states: list[AnchorState], as_json: bool) -> None:
    if as_json:
        anchors = [asdict(state) for state in states]
        print_json({"outside_anchor": in_words(states), "anchors": anchors})
        return
    if states:
        table([_row(state) for state in states], ["name", "size", "kept", "problem"])
    # What failed stands in the table.
    say(in_words([replace(state, problem=None) for state in states]))


def _row(state: AnchorState) -> dict[str, object]:
    kept_us = None if state.kept_s is None else state.kept_s * 1_000_000
    return asdict(state) | {"kept": time_text(kept_us)}
