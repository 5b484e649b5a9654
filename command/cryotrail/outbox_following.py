"""``cryotrail outbox send --follow``: the sender of a host, as a process of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from cryotrail.console import say
from cryotrail.embedded.connection import kafka_connection
from cryotrail.publishing import open_publisher
from cryotrail.settings import Settings
from cryotrail.signalled_stop import signalled_stop
from cryotrail_producers.outbox.status import OutboxStatus
from cryotrail_producers.publisher import Publisher

_LOOK_EVERY_S: Final = 1.0


def send_until_stopped(settings: Settings, address: str | None) -> OutboxStatus:
    """Send what any process of this host publishes, until SIGTERM or Ctrl-C.

    While another process sends from the outbox it waits, and takes over when that one ends.

    :param address: where to answer for health and metrics; None = nowhere.
    :returns: what the outbox holds at the end.
    :raises EndpointsRefused: the address is none, or cannot be listened on.
    :raises OutboxError: the outbox cannot be opened.
    """
    with (
        signalled_stop() as stopping,
        open_publisher(settings) as publisher,
        _observed(publisher, settings, address),
    ):
        say(f"sending from {settings.outbox_path}; it ends with Ctrl-C or SIGTERM")
        while not stopping.is_set():
            stopping.wait(_LOOK_EVERY_S)
        return publisher.status()


def _observed(
    publisher: Publisher, settings: Settings, address: str | None
) -> AbstractContextManager[None]:
    if address is None:
        return nullcontext()
    # Only here: an installation of the SDK alone has no library for it.
    try:
        from cryotrail.observability.observed_sender import observed_sender
    except ModuleNotFoundError as missing:
        from cryotrail.observability.errors import ObservabilityMissing

        raise ObservabilityMissing("--http", missing.name or "prometheus_client") from missing
    return observed_sender(publisher, kafka_connection(settings), address)
