"""``cryotrail audit checkpoint``: a signed checkpoint as a file, to be kept outside."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say
from cryotrail.log_signing import open_signer, pinned_log_key
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints import outside_file
from cryotrail_audit.checkpoints.checkpoint import batches_origin
from cryotrail_audit.checkpoints.errors import CheckpointError
from cryotrail_audit.checkpoints.stored import SignedNotes, StoredCheckpoint

DESCRIPTION = """\
Write a signed checkpoint to a file: the size and root of the log, a note that anybody checks with
the log's public key. Kept where the owner of the database cannot reach it, it shows every later
change of what it covers: cryotrail audit verify --checkpoint FILE --log-key PUBLIC_KEY.

With the log's key at hand the log is signed now; without it the newest signed checkpoint of the
store is written, and how far it reaches is said.

A file that is there is replaced only if it holds a checkpoint of the same log that the new one
extends; anything else is left as it is, with exit code 1.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "checkpoint",
        help="a signed checkpoint as a file, to be kept outside",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="the note")
    parser.add_argument(
        "--batches-output", metavar="FILE", type=Path, help="also that of the batch chain"
    )
    add_json(parser)
    parser.set_defaults(run=run, usage_error=parser.error)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Write a checkpoint; returns 1 when there is none to write."""
    if chosen.batches_output is not None and _same(chosen.output, chosen.batches_output):
        chosen.usage_error("--output and --batches-output name the same file")
    _check_files(chosen, settings)
    if settings.log_key_file.exists():
        with closing(open_signer(settings)) as signer:
            signed = signer.sign()
        size, root = signed.checkpoint.size, signed.checkpoint.root
        note, batches = signed.note.to_bytes(), signed.batches_note.to_bytes()
        said = f"signed now: {size} entries, root {root.hex()}"
    else:
        stored, stored_batches, checked = _newest(settings)
        size, root, note, batches = stored.tree_size, stored.root, stored.note, stored_batches.note
        said = (
            f"the newest one in the store: {size} entries, root {root.hex()};"
            f" {'its signature verifies' if checked else 'its signature was not checked'}"
        )
    outside_file.replace(settings.audit_url, chosen.output, note)
    if chosen.batches_output is not None:
        outside_file.replace(settings.audit_url, chosen.batches_output, batches)
    if chosen.json:
        described: dict[str, Any] = {"size": size, "root": root.hex()}
        signed_now = settings.log_key_file.exists()
        print_json(described | {"signed_now": signed_now, "file": str(chosen.output)})
    else:
        print(said)
        say(f"{chosen.output}: keep it where the database's owner cannot reach it")
    return 0


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _check_files(chosen: argparse.Namespace, settings: Settings) -> None:
    """Refuse a file that must not be overwritten before anything is signed for it."""
    with closing(SignedNotes.open(settings.audit_url)) as notes:
        origin = notes.origin()
    outside_file.held_in(chosen.output, origin)
    if chosen.batches_output is not None:
        outside_file.held_in(chosen.batches_output, batches_origin(origin))


def _newest(settings: Settings) -> tuple[StoredCheckpoint, StoredCheckpoint, bool]:
    pinned = pinned_log_key(settings)
    with closing(SignedNotes.open(settings.audit_url)) as notes:
        origin = notes.origin()
        found = [
            notes.latest_checkpoint(name) if pinned is None else notes.newest_signed(name, pinned)
            for name in (origin, batches_origin(origin))
        ]
    note, batches = found
    if note is None or batches is None:
        raise CheckpointError(
            "the store has no signed checkpoint, and the log's key is not here",
            hint=f"sign where the key is, or set CRYOTRAIL_LOG_KEY_FILE ({settings.log_key_file})",
        )
    return note, batches, pinned is not None
