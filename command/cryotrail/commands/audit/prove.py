"""``cryotrail audit prove``: the proof that an event is in the log, as a file to hand over."""

from __future__ import annotations

import argparse
from pathlib import Path
from uuid import UUID

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say
from cryotrail.settings import Settings
from cryotrail_audit.proofs.entry_proof import EntryProof, computed_leaf, prove_entry

DESCRIPTION = """\
Write the proof that the entry of an event is in the log, under a signed checkpoint.

The file is a C2SP .tlog-proof: the entry's place, the hashes that lead from it to the root, and
the checkpoint that names the root. It holds no data. Whoever is handed it needs the entry itself,
whose columns give the leaf hash, and the log's public key from elsewhere, which tells that the
checkpoint is the log's own. `cryotrail audit export` puts all of that together.

It proves that the entry is there. That no other entry of the procedure was left out is proved by
a procedure head, in an export.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "prove",
        help="the proof that an event is in the log, as a file to hand over",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("event_id", metavar="EVENT_ID", type=UUID)
    parser.add_argument(
        "--output", metavar="FILE", type=Path, required=True, help="usually named *.tlog-proof"
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        help="prove it against this checkpoint instead of the newest one in the store",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Write the proof, read it back and verify it; returns 0.

    :raises ProofNotMade: there is no such entry, or no checkpoint covers it.
    """
    note = None if chosen.checkpoint is None else chosen.checkpoint.read_bytes()
    made = prove_entry(settings.audit_url, chosen.event_id, note)
    output: Path = chosen.output
    output.write_bytes(made.proof.to_text().encode())
    made.verify(output.read_bytes())
    if chosen.json:
        print_json(_described(made, output))
        return 0
    origin, size, root = made.checkpoint
    print(
        f"{output}: entry {made.entry.seq} is in the tree of {size} entries of {origin},"
        f" root {root.hex()} ({len(made.proof.hashes)} hashes)"
    )
    say("the checkpoint's signatures were not checked: that takes the log's public key")
    return 0


def _described(made: EntryProof, output: Path) -> dict[str, object]:
    origin, size, root = made.checkpoint
    return {
        "output": str(output),
        "event_id": str(UUID(bytes=made.entry.event_id)),
        "seq": made.entry.seq,
        "leaf_hash": computed_leaf(made.entry).hex(),
        "hashes": len(made.proof.hashes),
        "origin": origin,
        "size": size,
        "root": root.hex(),
        "signatures_checked": False,
    }
