"""``cryotrail audit witness``: cosign what the log's own key signed, from another host."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.signing_runs import hashing, serve
from cryotrail.console import print_json, say
from cryotrail.log_signing import Stopped, stopping_progress, witness_memory
from cryotrail.settings import Settings
from cryotrail.signalled_stop import signalled_stop
from cryotrail_audit.checkpoints.errors import KeyRefused
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey
from cryotrail_audit.checkpoints.witness import Cosigned, Witness

DESCRIPTION = """\
Cosign the log: hash its entries for oneself, with a key and a memory of one's own, and add lines to
the newest checkpoint that the log's own key signed. A log that shows this witness another past than
it showed before is refused.

Run it on a host that the owner of the database does not own, with a database role that may read
everything and insert into the table checkpoint. Make its key there:

  cryotrail audit keys create --witness witness.example/quality
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "witness",
        help="cosign the log from another host",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--log-key", metavar="FILE", type=Path, required=True, help="the log's public key"
    )
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        help="the witness's own private key (default: witness.key in the folder of the settings"
        " SIGNER_STATE_DIR)",
    )
    parser.add_argument("--once", action="store_true", help="cosign now and end")
    parser.add_argument(
        "--full", action="store_true", help="hash from the first entry on (with --once)"
    )
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Cosign once, or until told to stop."""
    if chosen.full and not chosen.once:
        chosen.parser.error("--full goes with --once")
    key = _witness_key(chosen.key or settings.signer_state_dir / "witness.key")
    memory = witness_memory(settings)
    witness = Witness(settings.audit_url, key, PinnedKey.read(chosen.log_key), memory)
    with closing(witness), signalled_stop() as stopping:
        if not chosen.once:
            progress = stopping_progress(lambda _count: None, stopping.is_set)

            def step() -> None:
                _print(witness.cosign(progress=progress), False)

            return serve("the witness", witness.is_due, step, stopping)
        try:
            with hashing(witness.entry_count(), stopping) as advance:
                cosigned = witness.cosign(full=chosen.full, progress=advance)
        except Stopped:
            say("stopped; nothing was cosigned")
            return 1
        _print(cosigned, chosen.json)
        return 0


def _witness_key(file: Path) -> LogKey:
    if not file.exists():
        raise KeyRefused(
            f"there is no witness's key {file}",
            hint="make one on this host: cryotrail audit keys create --witness NAME",
        )
    return LogKey.read(file)


def _print(cosigned: Cosigned, as_json: bool) -> None:
    size, root = cosigned.checkpoint.size, cosigned.checkpoint.root.hex()
    names = list(dict.fromkeys(line.name for line in cosigned.note.signatures))
    if as_json:
        print_json({"size": size, "root": root, "signed_by": names})
    else:
        print(f"cosigned: {size} entries, root {root}, signed by {', '.join(names)}", flush=True)
