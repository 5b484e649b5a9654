"""``cryotrail outbox key``: a producer's signing key, made where the events are published."""

from __future__ import annotations

import argparse
from pathlib import Path

from cryotrail.console import print_json, say
from cryotrail.settings import Settings
from cryotrail_producers.signing import create_key_files, key_id_of_file

_DESCRIPTION = """\
The Ed25519 key with which this outbox signs seals, corrections, and what follows a seal. It is
used when the setting SIGNING_KEY_FILE names it. The private half never leaves this host; the
public half is registered in the audit store: cryotrail audit register-key FILE.pub --holder NAME
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parsers of its actions."""
    parser = commands.add_parser(
        "key",
        help="make a signing key, or tell its id",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="a new key: FILE (mode 0600) and FILE.pub")
    show = actions.add_parser("show", help="the id of a key, from FILE or from FILE.pub")
    for action, run in ((create, _create), (show, _show)):
        action.add_argument("file", metavar="FILE", type=Path)
        action.add_argument("--json", action="store_true", help="as JSON")
        action.set_defaults(run=run)


def _create(chosen: argparse.Namespace, settings: Settings) -> int:
    made = create_key_files(chosen.file)
    if chosen.json:
        print_json({"key_id": made.key_id.hex(), "private": made.private, "public": made.public})
    else:
        print(f"key {made.key_id.hex()}: {made.private}, public half {made.public}")
        say(f"next: CRYOTRAIL_SIGNING_KEY_FILE={made.private} here, and where the store is")
        say(f"      cryotrail audit register-key {made.public} --holder NAME")
    return 0


def _show(chosen: argparse.Namespace, settings: Settings) -> int:
    key_id = key_id_of_file(chosen.file).hex()
    if chosen.json:
        print_json({"key_id": key_id})
    else:
        print(key_id)
    return 0
