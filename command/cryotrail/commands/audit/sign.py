"""``cryotrail audit sign``: the signer's process."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryotrail.argument_types import add_http
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.given_files import read_checkpoint
from cryotrail.commands.audit.signing_runs import hashing, serve
from cryotrail.console import print_json, say
from cryotrail.log_signing import (
    Stopped,
    anchoring,
    open_signer,
    pinned_log_key,
    stopping_progress,
)
from cryotrail.observability.signer_watch import SignerWatch
from cryotrail.settings import Settings
from cryotrail.signalled_stop import SignalledStop, signalled_stop
from cryotrail_audit.checkpoints.anchors.anchoring import in_words
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.growth import Progress
from cryotrail_audit.checkpoints.service import SignerService
from cryotrail_audit.checkpoints.signer import Signed, Signer
from cryotrail_audit.checkpoints.stored import SignedNotes

DESCRIPTION = """\
Sign the log: a checkpoint (size and root) and the end of its batch chain, at most every 60 s, and
at once, with the head of the procedure, when a procedure ended or was sealed.

The signer believes nothing that the store computed. It hashes new entries from their bytes on top
of what it remembers, in a file of its own, and refuses a log that is shorter, forked or rebuilt.
"""

EPILOG = """\
examples:
  cryotrail audit sign                         sign until Ctrl-C or SIGTERM
  cryotrail audit sign --once                  sign now, print what was signed
  cryotrail audit sign --once --full           hash the whole log again first
  cryotrail audit sign --adopt last.note       the memory was lost: take it up from a checkpoint
                                               that this key signed and that was kept outside

Run it as a user of its own, on a host of its own if there is one: with a key that the owner of the
database can read, a signature says no more than the database does. Entries newer than the last
checkpoint are under no signature: a minute's worth at most while the signer runs.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "sign",
        help="the signer: signed checkpoints and procedure heads",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="sign now and end")
    parser.add_argument(
        "--full", action="store_true", help="hash from the first entry on (with --once)"
    )
    parser.add_argument(
        "--adopt",
        metavar="FILE",
        type=Path,
        help="make a new memory from a signed checkpoint, after hashing the whole log, and end",
    )
    add_http(parser, "SIGNER_HTTP")
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Sign once, adopt, or sign until told to stop."""
    _check_usage(chosen)
    watch = SignerWatch()
    with (
        closing(open_signer(settings)) as signer,
        signalled_stop(watch.heartbeat.beat) as stopping,
    ):
        if chosen.adopt is None and not chosen.once:
            address = chosen.http or settings.signer_http
            with _observed(watch, settings.audit_url, address):
                return _serve(signer, settings, stopping, watch)
        try:
            with hashing(signer.entry_count(), stopping) as advance:
                if chosen.adopt is not None:
                    return _adopt(signer, chosen.adopt, advance, chosen.json)
                signed = signer.sign(full=chosen.full, progress=advance)
        except Stopped:
            say("stopped; nothing was signed")
            return 1
        states = anchoring(settings).keep(_kept(signed), at_once=True)
        described = _described(signed) | {"outside_anchor": in_words(states)}
        _print(described, chosen.json)
        return 0


def _check_usage(chosen: argparse.Namespace) -> None:
    error = chosen.parser.error
    if chosen.full and not chosen.once:
        error("--full goes with --once")
    for option, is_given in (("--once", chosen.once), ("--adopt", chosen.adopt is not None)):
        if is_given and chosen.http is not None:
            error(f"--http is of a signer that runs on: leave out --http or {option}")


def _observed(
    watch: SignerWatch, audit_url: str, address: str | None
) -> AbstractContextManager[None]:
    if address is None:
        return nullcontext()
    # Only here: who wants no endpoints needs no library for them.
    from cryotrail.observability.observed_signer import observed_signer

    return observed_signer(watch, audit_url, address)


def _serve(signer: Signer, settings: Settings, stopping: SignalledStop, watch: SignerWatch) -> int:
    pinned = pinned_log_key(settings)
    newest = None
    if pinned is not None:
        with closing(SignedNotes.open(settings.audit_url)) as notes:
            newest = notes.newest_kept(pinned)
    places = anchoring(settings)
    say(in_words(places.states()))
    progress = stopping_progress(lambda _count: None, stopping.is_set)

    def said(signed: Signed) -> None:
        watch.signed()
        _say_signed(signed)

    service = SignerService(signer, places, newest, said, progress)
    return serve("the signer", watch.is_due(service.is_due), watch.step(service.step), stopping)


def _adopt(signer: Signer, file: Path, advance: Progress, as_json: bool) -> int:
    memory = signer.adopt(read_checkpoint(file), advance)
    if as_json:
        print_json({"adopted": True, "size": memory.size, "root": memory.checkpoint.root.hex()})
    else:
        print(f"adopted: the log extends {file}; {memory.size} entries are remembered")
    return 0


def _kept(signed: Signed) -> Kept:
    return Kept(signed.note.to_bytes(), signed.batches_note.to_bytes())


def _described(signed: Signed) -> dict[str, Any]:
    return {
        "origin": signed.checkpoint.origin,
        "size": signed.checkpoint.size,
        "root": signed.checkpoint.root.hex(),
        "signed_at": datetime.fromtimestamp(signed.signed_s, UTC).isoformat(),
        "heads": [note.text.split("\n")[1] for note in signed.heads],
    }


def _print(described: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(described)
        return
    print(f"signed: {described['size']} entries, root {described['root']}")
    if described["heads"]:
        print(f"heads of {len(described['heads'])} procedures")
    say(described["outside_anchor"])


def _say_signed(signed: Signed) -> None:
    heads = f", heads of {len(signed.heads)} procedures" if signed.heads else ""
    say(f"signed: {signed.checkpoint.size} entries{heads}")
