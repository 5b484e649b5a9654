"""``cryotrail audit verify``: read every byte and recompute everything."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.given_files import read_checkpoint
from cryotrail.console import print_json, progress, say
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import Verification, verify
from cryotrail_audit.verification.entry import as_json, record_verification
from cryotrail_audit.verification.memory import recall

DESCRIPTION = """\
Read every byte of the store and recompute every hash from it.

  intact            the store agrees with itself. Whoever may write everything in the database
                    could have rebuilt everything in it: no outside anchor excludes that.
  proved            it also extends a checkpoint that was held outside (--checkpoint).
  broken at seq N   something was changed, removed or put in, from entry N on; exit code 1.

It also looks whether the store has its guards, the triggers that refuse changes, and says which are
missing or switched off. That alone changes no result: the result is what the bytes say.

Nothing is written to the store unless --record is given.
"""

EPILOG = """\
examples:
  cryotrail audit verify
  cryotrail audit verify --checkpoint /media/qa/latest.checkpoint --log-key /media/qa/log.pub
  cryotrail audit verify --since-last          only what came since the last such run
  cryotrail audit verify --record              say in the log itself that it was verified
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "verify",
        help="read every byte and recompute everything",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a signed checkpoint that was kept outside the store; may be repeated",
    )
    parser.add_argument(
        "--log-key",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="the log's public key, from outside: it must have signed the checkpoints, and the"
        " notes that are stored as well; again for each log of a store that was continued",
    )
    parser.add_argument(
        "--since-last",
        action="store_true",
        help="do not read again what an earlier such run has verified, and say what was not read",
    )
    parser.add_argument(
        "--memory",
        metavar="FILE",
        type=Path,
        help="what --since-last remembers (default: verifier/memory.json below the home)",
    )
    parser.add_argument(
        "--record", action="store_true", help="append the result to the log, as an entry of its own"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Verify the store; returns 1 when it is broken.

    :raises AuditError: there is no store, or what was given is not of it.
    """
    url = settings.audit_url
    keys = [PinnedKey.read(file) for file in chosen.log_key]
    checkpoints = [read_checkpoint(file, keys) for file in chosen.checkpoint]
    memory = chosen.memory or settings.home / "verifier" / "memory.json"
    if not chosen.since_last:
        memory = None
    with progress("verifying", _to_read(url, memory)) as advance:
        found = verify(url, advance, checkpoint=checkpoints, pinned_key=keys, memory=memory)
    if chosen.json:
        print_json(as_json(found))
    else:
        _print(found)
    if chosen.record:
        _record(url, found)
    return 1 if found.result == "broken" else 0


def _print(found: Verification) -> None:
    if found.result == "broken":
        print(f"{found.words}: {found.reason}")
    else:
        unread = "" if found.not_read is None else f"; {found.not_read} were not read in this run"
        print(f"{found.words}: {found.size} entries, root {found.root.hex()}{unread}")
    for remark in found.remarks:
        say(remark)


def _record(url: str, found: Verification) -> None:
    """Append the verdict, which was printed before.

    :raises AuditError: the store does not take it.
    """
    try:
        with closing(open_store(url)) as store:
            say(f"recorded as entry {record_verification(store, found).first_seq}")
    except AuditError as error:
        raise AuditError(
            f"{found.words}; the result could not be recorded: {error}", hint=error.hint
        ) from error


def _to_read(url: str, memory: Path | None) -> int | None:
    """How much there is to verify; None = the store cannot say, and verification tells why."""
    try:
        known = None if memory is None else recall(memory)
        with closing(open_store(url)) as store:
            return store.head().tree_size - (0 if known is None else known.start)
    except AuditError:
        return None
