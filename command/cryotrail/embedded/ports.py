"""Which ports of this computer the embedded Kafka listens on."""

from __future__ import annotations

import random
import socket

from cryotrail.embedded.errors import BrokerFailed

HOST = "127.0.0.1"

PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections, which would take one of these in the
second between its choice and the broker's bind, or while a broker is restarted."""


def free_port(wanted: int | None, taken: int | None = None) -> int:
    """``wanted`` when it is free, else any free port of :data:`PORTS`, but never ``taken``.

    :raises BrokerFailed: none is free.
    """
    others = random.sample(PORTS, 100)
    for port in others if wanted is None else [wanted, *others]:
        with socket.socket() as probe:
            # As the broker itself binds: a port that only lingers in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        if port != taken:
            return port
    raise BrokerFailed(
        f"no free port on {HOST} between {PORTS.start} and {PORTS.stop}",
        hint="name one with CRYOTRAIL_KAFKA_PORT",
    )
