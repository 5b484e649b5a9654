"""``cryotrail audit keys``: make and show the key that signs the log, or a witness's."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say
from cryotrail.log_signing import create_key, log_memory, public_file, witness_memory
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints.errors import KeyRefused
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.store import open_store

DESCRIPTION = """\
The key of a log signs its checkpoints: Ed25519 and ML-DSA-44, one name, one file of mode 0600.
The public part is a file of its own, to be handed to everybody who is to check what was signed.

Make the key where the signer runs, as the user that it runs as, and not as the one that owns the
database. A key is never overwritten: what it signed can be checked with it alone.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "keys",
        help="make and show the key that signs the log",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inner = parser.add_subparsers(dest="keys_action", required=True, metavar="ACTION")
    creating = inner.add_parser("create", help="make a key pair; print its fingerprint")
    creating.add_argument(
        "--origin", metavar="NAME", help="the log's name (default: as the store has it)"
    )
    creating.add_argument("--witness", metavar="NAME", help="a witness's key, of this name")
    creating.add_argument(
        "--output", metavar="FILE", type=Path, help="the private key (default: as the settings say)"
    )
    creating.add_argument(
        "--if-absent", action="store_true", help="exit 0 where the key is there already"
    )
    creating.set_defaults(run=run_create)
    showing = inner.add_parser("show", help="name and fingerprint of a public key file")
    showing.add_argument("file", metavar="FILE", type=Path, nargs="?")
    showing.set_defaults(run=run_show)
    for action in (creating, showing):
        add_json(action)


def run_create(chosen: argparse.Namespace, settings: Settings) -> int:
    """Make a key and the memory that goes with it."""
    origin = chosen.origin or _origin(settings)
    if chosen.witness:
        memory = witness_memory(settings)
        file = chosen.output or settings.signer_state_dir / "witness.key"
    else:
        memory = log_memory(settings)
        file = chosen.output or settings.log_key_file
    if file.suffix == ".pub":
        raise KeyRefused(f"{file} would be the name of the public key", hint="name it FILE.key")
    if chosen.if_absent and file.exists():
        public = public_file(file)
        _print(PinnedKey.read(public), public, chosen.json, {"private_key_file": str(file)})
        return 0
    key = create_key(
        file, chosen.witness or origin, memory, origin, witness=chosen.witness is not None
    )
    _print(key.pinned, public_file(file), chosen.json, {"private_key_file": str(file)})
    if not chosen.json:
        say(f"private key {file}: keep a copy where only the signer's owner can reach it")
        say(f"memory      {memory.path}: what was signed; back it up with the key")
    return 0


def run_show(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print what a public key file holds."""
    file = chosen.file or public_file(settings.log_key_file)
    _print(PinnedKey.read(file), file, chosen.json, {})
    return 0


def _print(key: PinnedKey, file: Path, as_json: bool, more: dict[str, str]) -> None:
    if as_json:
        print_json(
            {
                "name": key.name,
                "fingerprint": key.fingerprint,
                "keys": [str(line).partition(" ")[0] for line in key.keys],
                "public_key_file": str(file),
            }
            | more
        )
        return
    print(f"{key.name}: {', '.join(str(line).partition(' ')[0] for line in key.keys)}")
    print(f"fingerprint {key.fingerprint}")
    print(f"public key  {file}")


def _origin(settings: Settings) -> str:
    with closing(open_store(settings.audit_url)) as store:
        return store.origin()
