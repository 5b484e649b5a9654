"""``cryotrail outbox seal``: state that nothing more of a procedure's day comes from this outbox."""

from __future__ import annotations

import argparse
from uuid import UUID

from cryotrail.argument_types import moment, seconds
from cryotrail.console import print_json, say
from cryotrail.publishing import open_publisher
from cryotrail.settings import Settings
from cryotrail_producers.seal import SealHeader

_DESCRIPTION = """\
Seal a procedure: count and hash every event that this outbox ever published of it, telemetry
included, so that a missing or a forged one shows in the audit store (cryotrail audit origin).
Sealing again gives the same seal. Corrections and after-care may follow.
Signed when the setting SIGNING_KEY_FILE names a key; unsigned, its origin is not proved.
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add its parser."""
    parser = commands.add_parser(
        "seal",
        help="seal a procedure: how many events there are, and the root over them",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("procedure_id", metavar="PROCEDURE_ID", type=UUID)
    parser.add_argument("--device-id", metavar="ID", help="the unit that seals")
    parser.add_argument("--occurred-at", type=moment, metavar="TIME", help="default: now")
    parser.add_argument(
        "--wait-s",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for Kafka's acknowledgement (default 30)",
    )
    parser.add_argument("--json", action="store_true", help="the outcome as JSON")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, settings: Settings) -> int:
    with open_publisher(settings) as publisher:
        header = SealHeader(device_id=chosen.device_id, occurred_at=chosen.occurred_at)
        seal_id = publisher.seal(chosen.procedure_id, header)
        publisher.wait(chosen.wait_s)
        waiting = publisher.unacknowledged()
    if chosen.json:
        print_json({"seal": seal_id, "acknowledged": not waiting})
    else:
        print(f"procedure {chosen.procedure_id} is sealed by {seal_id}")
        if waiting:
            say("the seal still waits in the outbox: cryotrail outbox send")
    return 0
