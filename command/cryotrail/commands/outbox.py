"""``cryotrail outbox``: what waits to be sent, sending it, sealing a procedure, signing keys."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict

from cryotrail import outbox_key, outbox_seal
from cryotrail.argument_types import seconds
from cryotrail.console import print_json, progress, table
from cryotrail.publishing import open_publisher
from cryotrail.settings import Settings
from cryotrail_producers.outbox_status import OutboxStatus, status_of_file, together

EPILOG = """\
examples:
  cryotrail outbox status
  cryotrail outbox status --json
  cryotrail outbox send
  cryotrail outbox seal 0d9c3a52-1c1d-5d1e-9b6f-7d52b6c4a001
  cryotrail outbox key create room2.pem        then set CRYOTRAIL_SIGNING_KEY_FILE=room2.pem

waiting = durable here and not yet acknowledged by Kafka; sent = acknowledged, ever; refused = events
and lines that broke the contract; oldest = since when the oldest waiting event waits; problem = why
Kafka refuses an event: the later ones of its procedure wait behind it.
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
    status = commands.add_parser("status", help="what waits, was sent, was refused")
    status.add_argument("--json", action="store_true", help="both outboxes together, as JSON")
    send = commands.add_parser("send", help="send what waits, until nothing does")
    send.add_argument("--json", action="store_true", help="what is left, as JSON")
    send.add_argument(
        "--wait-s",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="give up after so long without an acknowledgement (default 30)",
    )
    outbox_seal.add_to(commands)
    outbox_key.add_to(commands)
    options = parser.parse_args(arguments)
    if options.command == "status":
        return _status(settings, as_json=options.json)
    if options.command == "send":
        return _send(settings, options.wait_s, as_json=options.json)
    return int(options.run(options, settings))


def _status(settings: Settings, *, as_json: bool) -> int:
    parts = {
        "clinical": status_of_file(settings.outbox_path),
        "telemetry": status_of_file(settings.outbox_telemetry_path),
    }
    if as_json:
        print_json(asdict(together(parts.values())))
    else:
        table([_row(name, part) for name, part in parts.items()], _COLUMNS)
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
        problem = (publisher.problem() or "not acknowledged") if status.waiting else None
    if as_json:
        print_json({**asdict(status), "problem": problem})
    elif problem:
        print(f"{status.waiting} events still wait in the outbox: {problem}")
    else:
        print("nothing waits in the outbox")
    return 1 if status.waiting else 0


_COLUMNS = ("outbox", "waiting", "sent", "refused", "oldest_age_s", "problem")


def _row(name: str, status: OutboxStatus) -> dict[str, object]:
    row: dict[str, object] = {"outbox": name, **asdict(status)}
    if status.oldest_age_s is not None:
        row["oldest_age_s"] = round(status.oldest_age_s, 1)
    return row
