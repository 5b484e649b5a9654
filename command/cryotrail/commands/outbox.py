"""``cryotrail outbox``: what waits to be sent, sending it, sealing a procedure, signing keys."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from cryotrail import outbox_key, outbox_seal, outbox_status
from cryotrail.argument_types import add_http, seconds
from cryotrail.console import print_json, progress
from cryotrail.outbox_following import send_until_stopped
from cryotrail.outbox_status import status_json
from cryotrail.publishing import open_publisher, why_waiting
from cryotrail.settings import Settings

EPILOG = """\
examples:
  cryotrail outbox status
  cryotrail outbox status --json
  cryotrail outbox send
  cryotrail outbox send --follow --http 9465   for as long as the host runs, with its metrics
  cryotrail outbox seal 0d9c3a52-1c1d-5d1e-9b6f-7d52b6c4a001
  cryotrail outbox key create room2.pem        then set CRYOTRAIL_SIGNING_KEY_FILE=room2.pem

`cryotrail outbox status --help` tells what the columns mean and what to do when it fills up.
"""

_POLL_S = 0.1


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Show or drain the outbox. ``send`` returns 1 when events still wait at its end."""
    parser = argparse.ArgumentParser(
        prog="cryotrail outbox",
        description="The durable outbox of this home: clinical events and telemetry.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    outbox_status.add_to(commands)
    send = commands.add_parser("send", help="send what waits, until nothing does")
    send.add_argument("--json", action="store_true", help="what is left, as JSON")
    send.add_argument(
        "--wait-s",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="give up after so long without an acknowledgement (default 30)",
    )
    send.add_argument(
        "--follow",
        action="store_true",
        help="go on until Ctrl-C or SIGTERM: what a host runs beside its OR system",
    )
    add_http(send, "OUTBOX_HTTP")
    outbox_seal.add_to(commands)
    outbox_key.add_to(commands)
    options = parser.parse_args(arguments)
    if options.command == "send" and options.follow:
        return _follow(settings, options.http or settings.outbox_http, as_json=options.json)
    if options.command == "send":
        if options.http:
            send.error("--http goes with --follow")
        return _send(settings, options.wait_s, as_json=options.json)
    return int(options.run(options, settings))


def _follow(settings: Settings, address: str | None, *, as_json: bool) -> int:
    status = send_until_stopped(settings, address)
    if as_json:
        print_json(status_json(status))
    elif status.waiting:
        print(f"{status.waiting} events still wait in the outbox")
    return 0


def _send(settings: Settings, wait_s: float, *, as_json: bool) -> int:
    with open_publisher(settings) as publisher:
        status = publisher.status()
        give_up = time.monotonic() + wait_s
        with progress("outbox → Kafka", status.waiting) as advance:
            while status.waiting and time.monotonic() < give_up:
                time.sleep(_POLL_S)
                before, status = status, publisher.status()
                if status.sent > before.sent:
                    advance(status.sent - before.sent)
                    give_up = time.monotonic() + wait_s
        problem = why_waiting(publisher) if status.waiting else None
    if as_json:
        print_json({**status_json(status), "problem": problem})
    elif problem:
        print(f"{status.waiting} events still wait in the outbox: {problem}")
    else:
        print("nothing waits in the outbox")
    return 1 if status.waiting else 0
