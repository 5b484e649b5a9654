"""``cryotrail audit verify``: read every byte and recompute everything."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
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
        help="the log's public key, from outside: it must have signed the checkpoints",
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
    pinned_key = None if chosen.log_key is None else PinnedKey.read(chosen.log_key)
    checkpoints = [_read(file) for file in chosen.checkpoint]
    memory = chosen.memory or settings.home / "verifier" / "memory.json"
    if not chosen.since_last:
        memory = None
    with progress("verifying", _to_read(url, memory)) as advance:
        found = verify(url, advance, checkpoint=checkpoints, pinned_key=pinned_key, memory=memory)
    if chosen.json:
        print_json(as_json(found))
    else:
        _print(found)
    if chosen.record:
        with closing(open_store(url)) as store:
            say(f"recorded as entry {record_verification(store, found).first_seq}")
    return 1 if found.result == "broken" else 0


def _print(found: Verification) -> None:
    if found.result == "broken":
        print(f"{found.words}: {found.reason}")
    else:
        print(f"{found.words}: {found.size} entries, root {found.root.hex()}")
    for remark in found.remarks:
        say(remark)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise AuditError(f"cannot read the checkpoint {file}: {error.strerror}") from error


def _to_read(url: str, memory: Path | None) -> int | None:
    """How much there is to verify; None = the store cannot say, and verification tells why."""
    try:
        known = None if memory is None else recall(memory)
        with closing(open_store(url)) as store:
            return store.head().tree_size - (0 if known is None else known.start)
    except AuditError:
        return None
