"""``cryotrail audit quarantine relay``: what is in quarantine, to the dead-letter topic."""

from __future__ import annotations

import argparse
import logging
from contextlib import closing
from typing import TYPE_CHECKING

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say
from cryotrail.settings import Settings
from cryotrail.signalled_stop import SignalledStop, signalled_stop
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_producers.back_off import BackOff
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.topics import DEAD_LETTERS

if TYPE_CHECKING:
    from cryotrail_consumers.operating.dead_letter_relay import DeadLetterRelay

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0

_DESCRIPTION = f"""\
Send a copy of each quarantined record to the topic {DEAD_LETTERS}, in the order of the log.

A copy has the original key, value and headers, and headers that say where it stands:
cryotrail-store, -seq, -id, -reason, -topic, -partition, -offset. A value that the store keeps
encrypted is sent encrypted (cryotrail-sealed: true). The topic is made when there is none.

It goes on behind the last entry that the topic holds, so it may be killed at any moment and keeps
nothing of its own. An entry may come twice after that; its cryotrail-id stays the same. Run one
at a time.
"""


def add_to(actions: Actions) -> None:
    """Add the parser of its action."""
    parser = actions.add_parser(
        "relay",
        help=f"send them to the topic {DEAD_LETTERS}",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--follow", action="store_true", help="go on until Ctrl-C or SIGTERM")
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Relay what is new, once or until told to stop; returns 0.

    :raises CryotrailError: without --follow, whatever is away.
    """
    with closing(open_store(settings.audit_url)) as store, signalled_stop() as stopping:
        if chosen.follow:
            count = _follow(store, settings, stopping)
        else:
            with closing(_opened(store, settings)) as relay:
                count = relay.relay(lambda _seq: None)
    if chosen.json:
        print_json({"relayed": count, "topic": DEAD_LETTERS})
    else:
        print(f"{count} quarantined records relayed to {DEAD_LETTERS}")
    return 0


def _opened(store: AuditStore, settings: Settings) -> DeadLetterRelay:
    """A relay to a topic that is there."""
    # Only here: no other action of the store needs a Kafka client.
    from cryotrail.embedded.connection import kafka_connection
    from cryotrail.embedded.topics import ensure_topics
    from cryotrail_consumers.operating.dead_letter_relay import DeadLetterRelay

    connection = kafka_connection(settings)
    flush_each_message = settings.kafka_bootstrap is None  # the embedded node has no replica
    ensure_topics(connection, flush_each_message=flush_each_message, topics=(DEAD_LETTERS,))
    return DeadLetterRelay(store, connection)


def _follow(store: AuditStore, settings: Settings, stopping: SignalledStop) -> int:
    say(f"relaying to {DEAD_LETTERS}; it ends with Ctrl-C or SIGTERM")
    back_off, count = BackOff(0.1, 30.0), 0

    def sent(_seq: int) -> None:
        nonlocal count
        count += 1

    while not stopping.is_set():
        try:
            # Opened anew after every failure: what the topic holds then says where to go on.
            with closing(_opened(store, settings)) as relay:
                while not stopping.is_set():
                    relay.relay(sent)
                    back_off.reset()
                    stopping.wait(_LOOK_EVERY_S)
        except CryotrailError as error:
            if not error.retriable:
                raise
            wait_s = back_off.next_s()
            _log.warning("trying again in %.1f s: %s", wait_s, error)
            stopping.wait(wait_s)
    return count
