"""The address that a process answers on: ``HOST:PORT``, ``:PORT`` or ``PORT``."""

from __future__ import annotations

from typing import NamedTuple

from cryotrail.observability.errors import EndpointsRefused

_LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    """Where to listen; a port of 0 is a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address; without a host it is the loopback.

        :raises EndpointsRefused: it is none.
        """
        host, _, port = text.strip().rpartition(":")
        if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
            raise EndpointsRefused(
                f"{text!r} is no address for health and metrics",
                hint="HOST:PORT, or PORT on the loopback; port 0 is a free one",
            )
        return cls(host.removeprefix("[").removesuffix("]") or _LOOPBACK, int(port))

    def url(self) -> str:
        """The address as others reach it on this host."""
        return (
            f"http://[{self.host}]:{self.port}"
            if ":" in self.host
            else (f"http://{self.host}:{self.port}")
        )
