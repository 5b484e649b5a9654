"""Start the page server as a process of its own, and wait until it answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from cryotrail_dashboards.errors import PortInUse, ServerFailed
from cryotrail_dashboards.settings import DashboardSettings, PageSettings
from cryotrail_warehouse.publication import published_path

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def serve(
    settings: PageSettings,
    port: int,
    *,
    host: str = "127.0.0.1",
    allowed_hosts: Sequence[str] = (),
    log: IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start the page server and return at once; ask :func:`wait_until_ready` before using it.

    :param port: the port to listen on.
    :param host: the address to listen on.
    :param allowed_hosts: names under which browsers may reach it besides the loopback's and
        ``host``: a request under any other name gets no pages (a guard against DNS rebinding).
    :param log: where the server's output goes; None = its remarks to this process's own standard
        error.
    :raises cryotrail_warehouse.errors.NothingPublished: there is nothing to show yet.
    :raises PortInUse: another process listens there.
    """
    published_path(settings.warehouse_dir)
    _check_free(host, port)
    names = dict.fromkeys((*LOOPBACK_NAMES, host, *allowed_hosts))
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("asgi.py"))),
        *("--server.address", host, "--server.port", str(port)),
        *(argument for name in names for argument in ("--server.allowedHosts", name)),
    ]
    environment = os.environ | DashboardSettings.of(settings).to_environment()
    # Without a log only remarks are let through: what goes to standard output is Streamlit's banner.
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log or subprocess.DEVNULL,
        stderr=log,
    )


def wait_until_ready(
    process: subprocess.Popen[bytes], port: int, *, host: str = "127.0.0.1", timeout_s: float = 60.0
) -> str:
    """Wait until the server that :func:`serve` started answers.

    :returns: its address, such as ``http://127.0.0.1:8501``.
    :raises ServerFailed: it ended, or it did not answer within ``timeout_s``.
    """
    address = page_address(host, port)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailed(f"the page server ended with status {process.returncode}")
        try:
            with urlopen(f"{address}/healthz", timeout=2.0) as answer:
                if answer.status == 200:
                    return address
        except (URLError, OSError):
            time.sleep(0.1)
    raise ServerFailed(f"the page server did not answer at {address} within {timeout_s:g} s")


def stop(process: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    """End the page server; it is killed when it has not ended after ``timeout_s``."""
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def page_address(host: str, port: int) -> str:
    """The address a browser on this machine uses; a wildcard is reached over the loopback."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _check_free(host: str, port: int) -> None:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of a server that just ended must not be mistaken for a running one.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise PortInUse(
                f"port {port} of {host} cannot be used: {error.strerror}",
                hint="choose another one: cryotrail dashboard --port N",
            ) from error
