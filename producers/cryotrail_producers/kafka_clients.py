"""The Kafka clients of every process: built here and nowhere else, with one set of settings.

A client belongs to one process and is made after any fork. Each builder returns a client that has
spoken with the cluster, or raises within ten seconds: five for a broker to answer at all, five
for the Kafka protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    AuthorizationError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
)

from cryotrail_producers.errors import (
    KafkaAccessRefused,
    KafkaSettingsRefused,
    KafkaUnreachable,
    NativeChecksumMissing,
)
from cryotrail_producers.kafka_bootstrap import ClientNetwork
from cryotrail_producers.kafka_connection import KafkaConnection
from cryotrail_producers.kafka_reachability import require_reachable
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES

__all__ = [
    "KafkaAccessRefused",
    "KafkaConnection",
    "KafkaSettingsRefused",
    "KafkaUnreachable",
    "NativeChecksumMissing",
    "admin",
    "consumer",
    "producer",
]

CONNECT_TIMEOUT_S = 5.0
"""How long a broker may take to answer, and again how long the protocol's first exchange may."""

_FOREVER_MS = 2**31 - 1


def producer(
    connection: KafkaConnection, *, connect_timeout_s: float = CONNECT_TIMEOUT_S, **tuning: Any
) -> KafkaProducer:
    """An idempotent producer that never gives a record up by itself.

    ``delivery_timeout_ms`` is endless, because a record that expires is overtaken by later ones
    and its order is lost; the outbox decides when to start over. ``tuning`` may set anything but
    what makes the delivery idempotent: that is a :class:`TypeError`.

    :raises KafkaUnreachable: no broker answers; retriable.
    :raises KafkaAccessRefused: the cluster refused the credentials.
    """
    # Idempotence, acks and the requests in flight are written out because kafka-python switches
    # idempotence off without a word when a default of it is contradicted.
    return _build(
        lambda options: KafkaProducer(
            enable_idempotence=True,
            acks="all",
            max_in_flight_requests_per_connection=5,
            delivery_timeout_ms=_FOREVER_MS,
            allow_auto_create_topics=False,
            **options,
        ),
        connection,
        connect_timeout_s,
        {
            "linger_ms": 5,
            "batch_size": MAX_MESSAGE_BYTES // 2,
            "max_request_size": MAX_MESSAGE_BYTES,
            "metrics_enabled": False,  # Nobody reads them, and they cost CPU with every request.
        }
        | tuning,
    )


def consumer(
    connection: KafkaConnection, *, connect_timeout_s: float = CONNECT_TIMEOUT_S, **tuning: Any
) -> KafkaConsumer:
    """A consumer that goes only where it is told: nothing is committed or reset by itself.

    ``auto_offset_reset='none'`` raises where the default would jump, and only with it does a
    truncated log surface as ``LogTruncationError`` (KIP-320). Assignment is range: kafka-python's
    cooperative-sticky assignor was seen to leave a partition without an owner.

    :raises KafkaUnreachable: no broker answers; retriable.
    :raises KafkaAccessRefused: the cluster refused the credentials.
    """
    return _build(
        lambda options: KafkaConsumer(
            enable_auto_commit=False, allow_auto_create_topics=False, **options
        ),
        connection,
        connect_timeout_s,
        {
            "auto_offset_reset": "none",
            "max_poll_records": 5000,
            "max_poll_interval_ms": 300_000,
            "partition_assignment_strategy": (RangePartitionAssignor,),
            "metrics_enabled": False,
        }
        | tuning,
    )


def admin(
    connection: KafkaConnection, *, connect_timeout_s: float = CONNECT_TIMEOUT_S, **tuning: Any
) -> KafkaAdminClient:
    """An administrator's client: topics, their configuration, groups.

    :raises KafkaUnreachable: no broker answers; retriable.
    :raises KafkaAccessRefused: the cluster refused the credentials.
    """
    return _build(
        lambda options: KafkaAdminClient(**options), connection, connect_timeout_s, tuning
    )


def _build(
    construct: Callable[[dict[str, Any]], Any],
    connection: KafkaConnection,
    connect_timeout_s: float,
    tuning: dict[str, Any],
) -> Any:
    _require_native_checksum()
    require_reachable(connection, connect_timeout_s)
    opened: list[ClientNetwork] = []

    def remember(**options: Any) -> ClientNetwork:
        opened.append(ClientNetwork(**options))
        return opened[-1]

    options = connection.client_options() | tuning
    options["bootstrap_timeout_ms"] = int(connect_timeout_s * 1000)
    try:
        return construct({**options, "kafka_client": remember})
    except BaseException as error:
        for network in opened:
            network.abandon()
        translated = _translated(error, connection, connect_timeout_s)
        if translated is None:
            raise
        raise translated from error


def _translated(
    error: BaseException, connection: KafkaConnection, connect_timeout_s: float
) -> CryotrailError | None:
    if isinstance(error, SaslAuthenticationFailedError | AuthorizationError):
        return KafkaAccessRefused(
            f"the Kafka cluster at {connection.bootstrap} refused this client: {error}",
            hint="check the user name, the password file, the SASL mechanism and the ACLs",
        )
    if isinstance(error, KafkaTimeoutError):
        return KafkaUnreachable(
            f"{connection.bootstrap} accepts connections but did not speak Kafka over "
            f"{connection.security_protocol} within {connect_timeout_s:g} s",
            hint="is this a Kafka client port, does it use that security protocol, "
            "and does it accept this client's certificate"
            + (", user name and password?" if connection.uses_sasl else "?"),
        )
    return None


def _require_native_checksum() -> None:
    try:
        import_module("crc32c")
    except ImportError as error:
        raise NativeChecksumMissing(
            "the compiled CRC-32C that Kafka records are checked with cannot be loaded",
            hint="pip install 'kafka-python[crc32c]'",
        ) from error
