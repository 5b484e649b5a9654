"""``cryotrail audit continue``: go on after a restore from a backup, under a new name."""

from __future__ import annotations

import argparse
from pathlib import Path

from cryotrail.argument_types import one_line
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.given_files import read_checkpoint
from cryotrail.console import print_json, say
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.continuing import ContinuedLog, Restored, continue_log

DESCRIPTION = """\
After a restore from a backup the store is shorter than what was signed, and its signer refuses it
for good. This command lets the old log end where the restore left it, and opens a new one, under
a new name, whose first entry says what was signed, what is left, and why.

Nothing of the old log is changed, and nothing that is lost comes back by this. What Kafka still
retains is read again by the recorder and recorded in the new log.
"""

EPILOG = """\
examples:
  cryotrail audit verify                       first: is what was restored whole?
  cryotrail audit continue --from last.note --log-key log.pub --reason "disk failed, backup of 02:00"
  cryotrail audit continue --from last.note --from older.note --reason ...

--from names the newest checkpoint that was signed and kept outside. An older one, of no more
entries than are left, shows that what is left is the beginning of what was signed; one that is in
the database itself is taken too, and shows no more than the database's owner wants it to.

Afterwards the signer needs a key for the new name: move its old key and memory away, keep them,
and run cryotrail audit keys create. Start the recorder again: it claims its partitions anew.
On PostgreSQL this is a superuser's to run: the writer may not open a log.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "continue",
        help="go on under a new name after a restore from a backup",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--from",
        dest="signed",
        metavar="CHECKPOINT",
        type=Path,
        action="append",
        required=True,
        help="the newest signed checkpoint of the log; again for older ones",
    )
    parser.add_argument(
        "--reason", type=one_line, metavar="TEXT", required=True, help="why; stands in the log"
    )
    parser.add_argument(
        "--origin", metavar="NAME", help="the new log's name (default: the old one's, next number)"
    )
    parser.add_argument(
        "--log-key",
        metavar="FILE",
        type=Path,
        help="the old log's public key: it must have signed the checkpoints",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Open the new log; returns 0.

    :raises AuditError: see :func:`~cryotrail_audit.continuing.continue_log`.
    """
    made = continue_log(
        settings.audit_url,
        [read_checkpoint(file) for file in chosen.signed],
        chosen.reason,
        origin=chosen.origin,
        pinned_key=None if chosen.log_key is None else PinnedKey.read(chosen.log_key),
    )
    if chosen.json:
        print_json(_as_json(made))
        return 0
    before = made.continues
    print(
        f"{made.origin} continues {before.origin}, which ends with {before.restored_size} of"
        f" {before.signed_size} signed entries"
    )
    say(_prefix_in_words(before))
    if not before.is_signature_checked:
        say("signature not checked: the log's public key was not given with --log-key")
    say("the signer needs a new key and memory: cryotrail audit keys create")
    return 0


def _prefix_in_words(before: Restored) -> str:
    """What is known of what is left, and what is not."""
    if before.extends_size is None:
        return (
            "not known: whether what is left is the beginning of what was signed; no checkpoint of"
            f" {before.restored_size} entries or fewer was given or is in the store"
        )
    which = f"the {before.extends_where} checkpoint of {before.extends_size} entries"
    unknown = before.restored_size - before.extends_size
    words = f"what is left extends {which}"
    if before.extends_where == "stored":
        words += ", which the database itself holds"
    if unknown:
        words += (
            f"; not known: whether the {unknown} entries from {before.extends_size} on are"
            " those that were signed"
        )
    return words


def _as_json(made: ContinuedLog) -> dict[str, object]:
    before = made.continues
    return {
        "origin": made.origin,
        "log_id": made.log_id,
        "continues": before.origin,
        "signed_size": before.signed_size,
        "signed_root": before.signed_root.hex(),
        "restored_size": before.restored_size,
        "signature_checked": before.is_signature_checked,
        "extends_size": before.extends_size,
        "extends_where": before.extends_where,
        "words": _prefix_in_words(before),
    }
