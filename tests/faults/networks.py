"""The networks of a stage: proxies that fail together, and the one thread in which all run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, Self

from faults.tcp_proxy import Mode, TcpProxy


class ProxyThread:
    """The thread in which proxies run; a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._proxies: list[TcpProxy] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self._proxies:
            self.run(proxy.close())
        self.run(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def network(self, upstream_ports: Iterable[int]) -> Network:
        """Proxies before these ports, which fail together."""
        proxies = [self.run(self._listening(port)) for port in upstream_ports]
        self._proxies += proxies
        return Network(self, proxies)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run in the proxies' thread and wait for the result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listening(self, upstream_port: int) -> TcpProxy:
        proxy = TcpProxy(upstream_port)
        await proxy.listen()
        return proxy

    async def _finish(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class Network:
    """Proxies that fail together: the way from some clients to some servers."""

    def __init__(self, thread: ProxyThread, proxies: list[TcpProxy]) -> None:
        self._thread = thread
        self._proxies = proxies

    @property
    def ports(self) -> list[int]:
        """Where clients connect, in the order of the upstream ports."""
        return [proxy.port for proxy in self._proxies]

    @property
    def lost_answers(self) -> int:
        """How many answers were withheld so far."""
        return sum(proxy.lost_answers for proxy in self._proxies)

    def open(self) -> None:
        """Forward again. What was held back while silent is delivered late."""
        self._set("open")

    def cut(self) -> None:
        """Reset every connection and each new one."""
        self._set("cut")

    def silence(self) -> None:
        """Take bytes and connections, and forward nothing: no error, no answer."""
        self._set("silent")

    def slow(self, delay_s: float) -> None:
        """Forward each piece after a pause."""
        self._set("open", delay_s)

    def lose_answers(self, pattern: bytes, times: int) -> None:
        """Cut the connections that ask for something with these bytes in it, ``times`` times.

        Cut once the server has answered: what was asked is done, and the client never learns it.
        """
        for proxy in self._proxies:
            self._thread.run(proxy.lose_answers(pattern, times))

    def _set(self, mode: Mode, delay_s: float = 0.0) -> None:
        for proxy in self._proxies:
            self._thread.run(proxy.set_mode(mode, delay_s))
