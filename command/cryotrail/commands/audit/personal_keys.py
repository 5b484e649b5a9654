"""``cryotrail audit personal-keys``: the keys that personal text is encrypted with."""

from __future__ import annotations

import argparse
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say, table
from cryotrail.personal_keys import existing_keys
from cryotrail.settings import PREFIX, Settings
from cryotrail_producers.key_store.kek import create_kek


def add_to(actions: Actions) -> None:
    """Add the parsers of its own actions."""
    parser = actions.add_parser(
        "personal-keys", help="begin to encrypt personal text; how many keys there are"
    )
    inner = parser.add_subparsers(dest="keys_action", required=True, metavar="ACTION")
    creating = inner.add_parser(
        "create", help="make the key file that wraps all others (32 random bytes, mode 0600)"
    )
    creating.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"default: what {PREFIX}PERSONAL_KEK_FILE names, else personal.kek in the home",
    )
    creating.set_defaults(run=run_create)
    status = inner.add_parser("status", help="whether text is encrypted, and the number of keys")
    add_json(status)
    status.set_defaults(run=run_status)


def run_create(chosen: argparse.Namespace, settings: Settings) -> int:
    """Make the key file and say how it is used; returns 0.

    :raises KekRefused: a file of that name exists, or cannot be written.
    """
    path = chosen.output or settings.personal_kek_file or settings.home / "personal.kek"
    create_kek(path)
    print(path)
    if settings.personal_kek_file != path:
        say(f"set {PREFIX}PERSONAL_KEK_FILE={path} wherever events are published or recorded")
    say(f"the keys that it wraps will be in {settings.keys_path}")
    say("back both up, apart from each other and from the audit store; keep no backup of the keys")
    say("for longer than 30 days: an erased key must be gone from there as well")
    return 0


def run_status(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print whether text is encrypted and how many keys there are; returns 0."""
    with existing_keys(settings) as keys:
        known = [] if keys is None else keys.scopes()
    report: dict[str, object] = {
        "encrypting": settings.personal_kek_file is not None,
        "key_file": settings.personal_kek_file and str(settings.personal_kek_file),
        "keys": str(settings.keys_path),
    }
    for kind in ("subject", "record"):
        of_kind = [one for one in known if one.scope.startswith(f"{kind}:")]
        gone = sum(one.destroyed_us is not None for one in of_kind)
        report[f"{kind}_keys"] = len(of_kind) - gone
        report[f"{kind}_keys_destroyed"] = gone
    if chosen.json:
        print_json(report)
    else:
        table([{"": name, "value": value} for name, value in report.items()], ["", "value"])
    return 0
