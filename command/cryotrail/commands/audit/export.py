"""``cryotrail audit export``: one procedure with its proofs, for a stranger to check."""

from __future__ import annotations

import argparse
from contextlib import closing, nullcontext
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say
from cryotrail.log_signing import open_signer, pinned_log_key
from cryotrail.settings import Settings
from cryotrail_audit.bundle.errors import ExportRefused
from cryotrail_audit.bundle.export import Exported, export_procedure
from cryotrail_audit.checkpoints.keys import PinnedKey

DESCRIPTION = """\
Write the evidence bundle of a procedure: every entry with its bytes and columns, the schemas, the
proofs under one signed checkpoint, the procedure's head, and verify.py, one file that checks all
of it on a machine without cryotrail and without this database.

With the log's key at hand a checkpoint and a head are signed first, so that the bundle is complete
up to now. Otherwise the newest ones of the store are taken; without a head the bundle says
"completeness not proved". Hand the log's public key over by another way than the bundle.

Exit 0 once the bundle is written and proved to hold the recorded bytes, 1 when it is refused. Where
seals or signatures do not fit, that is said as a FINDING and the exit is 0 all the same: the bundle
is sound evidence of it. Its verify.py exits 1 then, and so does `cryotrail audit origin`.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "export",
        help="one procedure with its proofs, for a stranger to check",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "procedure", metavar="PROCEDURE", help="its id, or its label where that is unique"
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="a folder that is not there yet or is empty",
    )
    parser.add_argument(
        "--log-key",
        metavar="FILE",
        type=Path,
        help="the log's public key (default: of the settings)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Write the bundle and say what its own verifier says of it; returns 0.

    :raises ExportRefused: no such procedure, no key, nothing signed, or the folder is in use.
    """
    key = pinned_log_key(settings) if chosen.log_key is None else PinnedKey.read(chosen.log_key)
    if key is None:
        raise ExportRefused(
            "the log's public key is not here, so no signature can be checked",
            hint="give --log-key FILE, or make a key: cryotrail audit keys create",
        )
    signs = chosen.log_key is None and settings.log_key_file.exists()
    with closing(open_signer(settings)) if signs else nullcontext() as signer:
        made = export_procedure(
            settings.audit_url,
            chosen.procedure,
            chosen.output,
            key,
            sign=None if signer is None else signer.sign_head,
        )
    if chosen.json:
        print_json(_described(made))
        return 0
    print(f"{made.folder}: {made.entry_count} entries, {made.byte_count} bytes")
    print(f"its own verifier says, given the log's key: {made.found['words']}")
    for finding in made.found["origin_findings"]:
        print(f"origin: FINDING {finding}")
    if made.entries_since:
        say(f"recorded after the newest checkpoint, so left out: {made.entries_since}")
    say(f"hand the log's public key over by another way; its fingerprint is {key.fingerprint}")
    return 0


def _described(made: Exported) -> dict[str, object]:
    return {
        "folder": str(made.folder),
        "procedure_id": str(made.procedure_id),
        "entries": made.entry_count,
        "entries_since": made.entries_since,
        "bytes": made.byte_count,
        "verified": made.found,
    }
