"""A TCP proxy whose network can be cut, silenced, slowed, or lose the answer to one request.

:mod:`faults.networks` runs proxies and fails them together.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal

Mode = Literal["open", "cut", "silent"]

HOST = "127.0.0.1"
_CHUNK_BYTES = 1 << 16


class _Link:
    """One client's connection and ours to the server behind it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.withholds_answer = False

    def abort(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


class TcpProxy:
    """Forwards one port to another. All but ``lost_answers`` belongs to the thread of its loop."""

    def __init__(self, upstream_port: int) -> None:
        self.port = 0
        self.lost_answers = 0
        """How many answers were withheld so far."""
        self._upstream_port = upstream_port
        self._mode: Mode = "open"
        self._delay_s = 0.0
        self._pattern: bytes | None = None
        self._losses_left = 0
        self._links: set[_Link] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def set_mode(self, mode: Mode, delay_s: float = 0.0) -> None:
        self._mode, self._delay_s = mode, delay_s
        if mode == "silent":
            self._passing.clear()
        else:
            self._passing.set()
        if mode == "cut":
            self._abort_all()

    async def lose_answers(self, pattern: bytes, times: int) -> None:
        self._pattern, self._losses_left = pattern, times

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._abort_all()

    def _abort_all(self) -> None:
        for link in list(self._links):
            link.abort()

    async def _connected(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        if self._mode == "cut":
            client.transport.abort()
            return
        try:
            from_server, server = await asyncio.open_connection(HOST, self._upstream_port)
        except OSError:  # nobody listens there just now
            client.transport.abort()
            return
        link = _Link(client, server)
        self._links.add(link)
        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._to_server(link, reader))
                    both.create_task(self._to_client(link, from_server))
        except* OSError:
            pass  # either side went away
        finally:
            link.abort()
            self._links.discard(link)

    async def _to_server(self, link: _Link, reader: asyncio.StreamReader) -> None:
        before = b""
        while data := await reader.read(_CHUNK_BYTES):
            await self._pass()
            if self._pattern is not None and self._losses_left and self._pattern in before + data:
                self._losses_left -= 1
                link.withholds_answer = True
            before = data[-64:]
            link.server.write(data)
            await link.server.drain()
        link.abort()

    async def _to_client(self, link: _Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await self._pass()
            if link.withholds_answer:
                # The server has answered, so what was asked is done; nobody is told.
                self.lost_answers += 1
                break
            link.client.write(data)
            await link.client.drain()
        link.abort()

    async def _pass(self) -> None:
        await self._passing.wait()
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
