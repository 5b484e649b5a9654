"""The network of one Kafka client: kafka-python's, except that a refused login ends its bootstrap.

kafka-python 3.0.12 tries a refused password again until its bootstrap times out, and then only
says that it timed out; that also locks accounts.
"""

from __future__ import annotations

from typing import Any

from kafka.errors import SaslAuthenticationFailedError
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector


class RefusalAwareManager(KafkaConnectionManager):  # type: ignore[misc]
    """Connects to brokers, and remembers that one refused the credentials."""

    refusal: Exception | None = None

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """The connection to a node.

        :raises SaslAuthenticationFailedError: while bootstrapping, once the login was refused.
        """
        if self.refusal is not None and not self.bootstrapped:
            raise self.refusal
        connection = super().get_connection(*arguments, **options)
        connection.close_future.add_errback(self._remember)
        return connection

    def _remember(self, error: Exception) -> None:
        if isinstance(error, SaslAuthenticationFailedError):
            self.refusal = error


class ClientNetwork(KafkaNetClient):  # type: ignore[misc]
    """What a kafka-python client sends and receives through (its option ``kafka_client``)."""

    def __init__(self, **options: Any) -> None:
        selector = NetworkSelector(**options)
        super().__init__(net=selector, manager=RefusalAwareManager(selector, **options))

    def abandon(self) -> None:
        """Close what a client's constructor left open when it failed: sockets and a thread."""
        self.close()
        self._net.stop(timeout_ms=1000)
