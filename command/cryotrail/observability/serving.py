"""The endpoints of one process, if it is to have any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client.registry import Collector

from cryotrail.console import say
from cryotrail.observability.address import Address
from cryotrail.observability.endpoints import endpoints
from cryotrail.observability.health import Health
from cryotrail.observability.registry import registry_of


@contextmanager
def serving(
    address: str, part: str, collectors: Iterable[Collector], health: Health
) -> Iterator[Address]:
    """Answer for a process while the block runs, and say where; yields the address.

    :param address: ``HOST:PORT``, or ``PORT`` on the loopback; 0 = a free port.
    :param part: what the process is, such as ``recorder``.
    :raises EndpointsRefused: the address is none, or cannot be listened on.
    """
    with endpoints(Address.parse(address), registry_of(part, collectors), health) as at:
        say(f"{part}: health and metrics on {at.url()}")
        yield at
