"""A schema registry in a process of its own.

It is the small one of ``registry_server``, which keeps real state and answers over real HTTP, and
not a product: those are Java services or have no release that a test could install. What differs
between products (authorisation, references between schemas, their wording) is not tested by it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from free_ports import free_port
from waiting import until

_PROGRAM = Path(__file__).with_name("registry_server.py")


class RegistryProcess:
    """A registry that a test may stop and start again; what was registered stays."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._state = folder / "registry.json"
        self._log = folder / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), str(self._port), str(self._state)], stderr=log
            )
        until(self._listens)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def requests(self) -> list[str]:
        """What it was asked, such as ``GET /schemas/ids/1 200``, in order."""
        return self._log.read_text().splitlines()

    def register(self, subject: str, text: str) -> int:
        """Register a schema as somebody else would; returns its id."""
        body = json.dumps({"schema": text}).encode()
        with urlopen(Request(f"{self.url}/subjects/{subject}/versions", body), timeout=10) as said:
            schema_id: int = json.load(said)["id"]
        return schema_id

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self._log.read_text()
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
            return True
        return False


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryProcess]:
    """A registry that runs and knows no schema."""
    process = RegistryProcess(tmp_path)
    process.start()
    yield process
    process.stop()
