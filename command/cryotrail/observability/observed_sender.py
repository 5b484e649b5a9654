"""A sender that answers for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cryotrail.observability.health import Check, Health
from cryotrail.observability.outbox_metrics import OutboxMetrics
from cryotrail.observability.serving import serving
from cryotrail_producers.errors import KafkaUnreachable, OutboxError
from cryotrail_producers.kafka_connection import KafkaConnection
from cryotrail_producers.kafka_reachability import require_reachable
from cryotrail_producers.publisher import Publisher

_REACHED_WITHIN_S: Final = 2.0


@contextmanager
def observed_sender(
    publisher: Publisher, connection: KafkaConnection, address: str
) -> Iterator[None]:
    """Answer for the sender of a publisher while the block runs.

    :raises EndpointsRefused: the address is none, or cannot be listened on.
    """
    health = Health(
        {"sender": publisher.sender_tally().age_s},
        {
            "outbox": _outbox_is_read(publisher),
            "kafka": _kafka_is_reached(connection),
            "sending": publisher.sending_problem,
        },
    )
    with serving(address, "outbox", [OutboxMetrics(publisher)], health):
        yield


def _outbox_is_read(publisher: Publisher) -> Check:
    def check() -> str | None:
        try:
            publisher.status()
        except OutboxError as error:
            return str(error)
        return None

    return check


def _kafka_is_reached(connection: KafkaConnection) -> Check:
    """A sender that has nothing to send would not notice that the cluster is away."""

    def check() -> str | None:
        try:
            require_reachable(connection, _REACHED_WITHIN_S)
        except KafkaUnreachable as error:
            return str(error)
        return None

    return check
