"""``cryotrail audit prove``: the proof that an event is in the log, as a file to hand over."""

from __future__ import annotations

import argparse
from pathlib import Path
from uuid import UUID

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.given_files import read_checkpoint
from cryotrail.console import print_json, say
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.proofs.entry_proof import EntryProof, computed_leaf, prove_entry
from cryotrail_audit.proofs.errors import ProofFileRefused
from cryotrail_audit.proofs.tlog_proof import parse

DESCRIPTION = """\
Write the proof that the entry of an event is in the log, under a signed checkpoint.

The file is a C2SP .tlog-proof: the entry's place, the hashes that lead from it to the root, and
the checkpoint that names the root. It holds no data. Whoever is handed it needs the entry itself,
whose columns give the leaf hash, and the log's public key from elsewhere, which tells that the
checkpoint is the log's own. No command here checks the file: other C2SP tools do. For a stranger
`cryotrail audit export` puts all of that together, and verify.py in it checks it, data included.

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
    parser.add_argument(
        "--log-key",
        metavar="FILE",
        type=Path,
        help="the log's public key: it must have signed the checkpoint",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Write the proof, read it back and verify it; returns 0.

    :raises ProofNotMade: there is no such entry, or no checkpoint covers it.
    """
    _check_file(chosen.output)
    key = None if chosen.log_key is None else PinnedKey.read(chosen.log_key)
    note = None if chosen.checkpoint is None else read_checkpoint(chosen.checkpoint)
    made = prove_entry(settings.audit_url, chosen.event_id, note, pinned_key=key)
    output: Path = chosen.output
    durable_files.replace(output, made.proof.to_text().encode())
    made.verify(output.read_bytes())
    if chosen.json:
        print_json(_described(made, output) | {"signatures_checked": key is not None})
        return 0
    origin, size, root = made.checkpoint
    print(
        f"{output}: entry {made.entry.seq} is in the tree of {size} entries of {origin},"
        f" root {root.hex()} ({len(made.proof.hashes)} hashes)"
    )
    if key is None:
        say("the checkpoint's signatures were not checked: give the public key with --log-key")
    else:
        say(f"the checkpoint is signed by the key of {key.name}, fingerprint {key.fingerprint}")
    return 0


def _check_file(file: Path) -> None:
    """Refuse to overwrite anything but a proof.

    :raises ProofFileRefused: there is something else.
    """
    try:
        parse(file.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ProofFileRefused) as error:
        raise ProofFileRefused(
            f"{file} is there already and is no .tlog-proof: it is not overwritten",
            hint="give the name of a new file",
        ) from error


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
    }
