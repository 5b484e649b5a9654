"""``cryotrail up``: the services of one host in the foreground, ended together."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from cryotrail.console import say
from cryotrail.embedded import broker
from cryotrail.embedded.ports import HOST, free_port
from cryotrail.log_signing import anchoring, ensure_home_key
from cryotrail.observability.address import Address
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints.anchors.anchoring import in_words
from cryotrail_audit.store import migrate
from cryotrail_schemas.errors import CryotrailError

STOP_AFTER_S = 20.0
"""How long a service may take to finish the work in hand before it is ended by force."""


class Service(NamedTuple):
    """One long-running subcommand and the file that takes what it says."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    http: str | None = None
    """Where it answers for its health and metrics; None = it has a page of its own for that."""


class ServiceEnded(CryotrailError):
    """A service of the host ended by itself; the others were stopped with it."""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run sender, recorder, signer, materialiser and dashboard until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="cryotrail up",
        description=(
            "Embedded Kafka (unless CRYOTRAIL_KAFKA_BOOTSTRAP names a cluster), sender, recorder, "
            "signer, materialiser and dashboard of one host. When one of them ends, all end."
        ),
        epilog=(
            "Each says where it answers /healthz, /readyz and /metrics: on the loopback, on the port "
            "that CRYOTRAIL_OUTBOX_HTTP, _RECORDER_HTTP, _SIGNER_HTTP or _MATERIALISER_HTTP names, "
            "else on a free one. "
            "The signer runs when the log's key is at hand; a home of its own is given one at its "
            "first start. The HTTP gateway is not part of this version."
        ),
    )
    parser.add_argument("--no-dashboard", action="store_true", help="without the pages")
    options = parser.parse_args(arguments)
    sender = ("outbox", "send", "--follow")
    materialiser = ("warehouse", "refresh", "--follow")
    services = [
        _answering("sender", sender, settings.outbox_http, settings),
        _answering("recorder", ("record",), settings.recorder_http, settings),
        _answering("materialiser", materialiser, settings.materialiser_http, settings),
    ]
    if not options.no_dashboard:
        services.append(Service("dashboard", ("dashboard",), settings.logs_dir / "dashboard.log"))
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    with broker.running(settings):
        if ensure_home_key(settings, migrate(settings.audit_url)):
            signer = _answering("signer", ("audit", "sign"), settings.signer_http, settings)
            services.insert(2, signer)
            say(in_words(anchoring(settings).states()))
        _once(("warehouse", "refresh"), settings)  # so that the pages have a first publication
        return _supervise(services)


def _answering(
    name: str, arguments: tuple[str, ...], address: str | None, settings: Settings
) -> Service:
    """A service with endpoints, on the configured address or on a port that is free now."""
    address = address or f"{HOST}:{free_port(None)}"
    log = settings.logs_dir / f"{name}.log"
    written = ("--log-format", settings.log_format, "--log-level", settings.log_level)
    return Service(name, (*arguments, "--http", address, *written), log, address)


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "cryotrail.main", *arguments]


def _once(arguments: Sequence[str], settings: Settings) -> None:
    if subprocess.run(_command(arguments), check=False).returncode:
        raise ServiceEnded(
            f"cryotrail {' '.join(arguments)} failed",
            hint=f"what it said stands above; the home is {settings.home}",
        )


def _supervise(services: Sequence[Service]) -> int:
    """Start every service and wait: for a signal (0), or for the first that ends by itself."""
    running: list[tuple[Service, subprocess.Popen[bytes]]] = []
    stopping = False

    def stop(signal_number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for service in services:
            running.append((service, _start(service)))
            at = (
                f", health and metrics on {Address.parse(service.http).url()}"
                if service.http
                else ""
            )
            say(f"{service.name} runs (pid {running[-1][1].pid}){at}, log {service.log}")
        while not stopping:
            for service, process in running:
                if process.poll() is not None:
                    raise ServiceEnded(
                        f"the {service.name} ended with exit code {process.returncode}",
                        hint=f"its last words are in {service.log}",
                    )
            time.sleep(0.2)
        return 0
    finally:
        _stop(running)
        for number, handler in previous.items():
            signal.signal(number, handler)


def _start(service: Service) -> subprocess.Popen[bytes]:
    log: IO[bytes]
    with service.log.open("ab") as log:
        # A session of its own keeps the terminal's Ctrl-C from reaching it before our SIGTERM.
        return subprocess.Popen(
            _command(service.arguments), stdout=log, stderr=log, start_new_session=True
        )


def _stop(running: Sequence[tuple[Service, subprocess.Popen[bytes]]]) -> None:
    for _, process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_AFTER_S
    for service, process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"{service.name} did not stop within {STOP_AFTER_S:.0f} s and is ended")
            process.kill()
            process.wait()
