"""The proxy of the fault tests does to a connection what it says."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest
from faults.networks import Network, ProxyThread
from waiting import until


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(1024):
                self.server.heard.append(data)  # type: ignore[attr-defined]
                self.request.sendall(data)
        except OSError:
            pass  # the proxy broke the connection off


class EchoServer(socketserver.ThreadingTCPServer):
    """Sends back what it hears, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.heard: list[bytes] = []


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def network(server: EchoServer) -> Iterator[Network]:
    with ProxyThread() as proxies:
        yield proxies.network([server.server_address[1]])


def _connected(network: Network) -> socket.socket:
    return socket.create_connection(("127.0.0.1", network.ports[0]), timeout=10)


def _is_broken(client: socket.socket) -> bool:
    try:
        client.sendall(b"?")
        return client.recv(10) == b""
    except ConnectionError:
        return True


def test_what_is_sent_comes_through_and_back(network: Network) -> None:
    with _connected(network) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"


def test_a_cut_breaks_connections_and_refuses_new_ones_until_it_is_mended(
    network: Network,
) -> None:
    with _connected(network) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"
        network.cut()
        assert _is_broken(client)
    with _connected(network) as client:
        assert _is_broken(client)
    network.open()
    with _connected(network) as client:
        client.sendall(b"again")
        assert client.recv(10) == b"again"


def test_silence_holds_back_what_is_sent_and_delivers_it_late(
    network: Network, server: EchoServer
) -> None:
    with _connected(network) as client:
        client.sendall(b"1")
        assert client.recv(10) == b"1"
        network.silence()
        client.sendall(b"2")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        assert server.heard == [b"1"]
        client.settimeout(10)
        network.open()
        assert client.recv(10) == b"2"


def test_a_lost_answer_is_to_a_request_that_arrived(network: Network, server: EchoServer) -> None:
    network.lose_answers(b"COMMIT", times=1)
    with _connected(network) as client:
        client.sendall(b"BEGIN")
        assert client.recv(10) == b"BEGIN"
        client.sendall(b"COM")
        until(lambda: b"".join(server.heard) == b"BEGINCOM")
        client.recv(10)
        client.sendall(b"MIT")
        assert client.recv(10) == b""
    assert b"".join(server.heard) == b"BEGINCOMMIT"
    assert network.lost_answers == 1
    with _connected(network) as client:  # only once
        client.sendall(b"COMMIT")
        assert client.recv(10) == b"COMMIT"
