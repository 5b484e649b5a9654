"""``/healthz``, ``/readyz`` and ``/metrics`` of one process, answered on threads of their own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from cryotrail.observability.address import Address
from cryotrail.observability.errors import EndpointsRefused
from cryotrail.observability.health import Health

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"


@contextmanager
def endpoints(address: Address, registry: CollectorRegistry, health: Health) -> Iterator[Address]:
    """Answer while the block runs; yields the address with the port that it got.

    :raises EndpointsRefused: the address cannot be listened on, as when its port is in use.
    """
    try:
        server = _Server(address, registry, health)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EndpointsRefused(
            f"cannot answer on {address.url()}: {reason}",
            hint="another process may have the port; port 0 takes a free one",
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="endpoints", daemon=True)
    thread.start()
    try:
        yield Address(address.host, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """A question that takes long, as while a database hangs, keeps no other from its answer."""

    def __init__(self, address: Address, registry: CollectorRegistry, health: Health) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.registry = registry
        self.health = health
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not http.server's, which asks a resolver for the name of this host.
        TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked went away; nothing is wrong here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # of one who connects and says nothing

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._standing(self.server.health.stuck())
        elif path == "/readyz":
            self._standing(self.server.health.missing())
        elif path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, content_type, encode(self.server.registry))
        else:
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"/healthz, /readyz or /metrics\n")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Who asked for what is no news."""

    def _standing(self, reasons: dict[str, str]) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        body = {"status": "unavailable" if reasons else "ok", "reasons": reasons}
        self._answer(status, _JSON, json.dumps(body).encode() + b"\n")

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
