"""``cryotrail audit``: create, verify, inspect and hand over the audit store; one module an action."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from importlib import import_module

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
  cryotrail audit prove 01997b6e-8d4b-7c11-b1c3-2f1d8a4e5f60 --output event.tlog-proof
  cryotrail audit export CRYO-0001 --output bundle     for a stranger to check, offline
  cryotrail audit checkpoint --output now.note size and root, signed: to be kept outside
  cryotrail audit origin                       seals and signatures: is it all, and who said it
  cryotrail audit quarantine list              records that could not be read, and why
  cryotrail audit quarantine replay --all      read them again with what is known now
  cryotrail audit quarantine relay --follow    copies of them to a Kafka topic of their own
  cryotrail audit conflicts list               event ids that came again with other content
  cryotrail audit show EVENT_ID --as-of 2026-11-22T10:24:00Z      what was known then
  cryotrail audit hold set SUBJECT --reason recall --decided-by qa-1
  cryotrail audit erase SUBJECT --dry-run      make a person's text unreadable for good
  cryotrail audit continue --from last.note --reason "disk failed"    after a restore
  cryotrail audit confirm-clock                after this machine's clock was set

`intact` means that the store agrees with itself. It does not exclude that somebody who may write
everything in the database rebuilt everything in it: only a root that was kept outside shows that,
so keep a signed checkpoint where that person cannot reach it, and give it to `verify`.
"""

_ACTIONS = {
    "init": "init",
    "verify": "verify",
    "show": "show",
    "prove": "prove",
    "export": "export",
    "quarantine": "quarantine",
    "origin": "origin",
    "reconcile": "reconcile",
    "register-key": "register_key",
    "revoke-key": "register_key",
    "conflicts": "conflicts",
    "hold": "hold",
    "erase": "erase",
    "personal-keys": "personal_keys",
    "checkpoint": "checkpoint",
    "sign": "sign",
    "witness": "witness",
    "anchor": "anchor",
    "keys": "keys",
    "continue": "continuing",
    "confirm-clock": "confirm_clock",
}
"""The module of each action: it adds its parser, and says with ``set_defaults(run=...)`` what runs
it."""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run ``cryotrail audit``. Returns 0, or 1 for a finding or a refusal."""
    # An action loads what it needs itself; only who asks for all of them pays for all.
    named = arguments[0] if arguments else ""
    modules = [_ACTIONS[named]] if named in _ACTIONS else dict.fromkeys(_ACTIONS.values())
    chosen = _parser(modules).parse_args(arguments)
    return int(chosen.run(chosen, settings))


def _parser(modules: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail audit",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for module in modules:
        import_module(f"{__name__}.{module}").add_to(actions)
    return parser
