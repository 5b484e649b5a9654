"""The network of one Kafka client: kafka-python's, except that a refused login ends its bootstrap,
and that waiting for a socket costs less.

kafka-python 3.0.12 tries a refused password again until its bootstrap times out, and then only
says that it timed out; that also locks accounts.
"""

from __future__ import annotations

from selectors import DefaultSelector, SelectorKey
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


class ThriftySelector(DefaultSelector):
    """Says of a socket that it is not registered without describing it.

    kafka-python asks that before each wait, and the standard library then asks the operating system
    for both addresses of the socket, only for the text of an error that nobody reads.
    """

    def get_key(self, fileobj: Any) -> SelectorKey:
        descriptor = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        # A closed socket has none; it is found by itself, if at all.
        return super().get_key(fileobj if descriptor < 0 else descriptor)


class ClientNetwork(KafkaNetClient):  # type: ignore[misc]
    """What a kafka-python client sends and receives through (its option ``kafka_client``)."""

    def __init__(self, **options: Any) -> None:
        selector = NetworkSelector(**options | {"selector": ThriftySelector})
        super().__init__(net=selector, manager=RefusalAwareManager(selector, **options))

    def abandon(self) -> None:
        """Close what a client's constructor left open when it failed: sockets and a thread."""
        self.close()
        self._net.stop(timeout_ms=1000)
