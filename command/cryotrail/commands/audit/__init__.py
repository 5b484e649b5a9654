"""``cryotrail audit``: create, verify, inspect and hand over the audit store; one module an action."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cryotrail.commands.audit import init, quarantine, show, verify
from cryotrail.settings import Settings

DESCRIPTION = """\
The audit store: every event that arrived, with its bytes, in one append-only log.

Nothing in it is ever changed or deleted. Each entry's columns are bound by a hash, and all
hashes by one root. `verify` recomputes all of it from the bytes.
"""

EPILOG = """\
examples:
  cryotrail audit init                         create the store, or upgrade it
  cryotrail audit verify                       read every byte and recompute everything
  cryotrail audit show 01997b6e-8d4b-7c11-b1c3-2f1d8a4e5f60
  cryotrail audit quarantine list              records that could not be read, and why
  cryotrail audit quarantine show 1042

`intact` means that the store agrees with itself. It does not exclude that somebody who may write
everything in the database rebuilt everything in it: only a root that was kept outside shows that,
so write down the size and root that `verify` prints, where that person cannot reach them.
"""

_ACTIONS = (init, verify, show, quarantine)
"""Each adds its parser and says with ``set_defaults(run=...)`` what runs it."""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run ``cryotrail audit``. Returns 0, or 1 for a finding or a refusal."""
    chosen = _parser().parse_args(arguments)
    return int(chosen.run(chosen, settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail audit",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action in _ACTIONS:
        action.add_to(actions)
    return parser
