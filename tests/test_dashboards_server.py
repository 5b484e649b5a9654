"""The page server: starts beside a publication, guards its pages, and stops."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from free_ports import free_port
from published_warehouse import Tables, add_procedure, publish
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import cryotrail_dashboards
from cryotrail.commands import dashboard
from cryotrail.settings import load_settings
from cryotrail_dashboards.errors import DashboardError, PortInUse, ServerFailed
from cryotrail_dashboards.server import page_address, serve, stop, wait_until_ready
from cryotrail_dashboards.settings import DashboardSettings
from cryotrail_warehouse.errors import NothingPublished


def settings_of(folder: Path) -> DashboardSettings:
    return DashboardSettings(folder, f"sqlite:///{folder / 'no-store.sqlite3'}", "Asia/Tokyo")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running page server over one published procedure."""
    folder = tmp_path_factory.mktemp("served")
    tables: Tables = {}
    add_procedure(tables)
    publish(folder, tables)
    chosen = free_port()
    with (folder / "server.log").open("wb") as log:
        process = serve(settings_of(folder), chosen, log=log)
        try:
            wait_until_ready(process, chosen)
            yield chosen
        finally:
            stop(process)


def get(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    "path", ["/", "/procedure", "/healthz", "/_stcore/metrics", "/favicon.png"]
)
def test_every_answer_carries_the_security_headers(port: int, path: str) -> None:
    headers = get(port, path).headers
    policy = headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_health_is_answered_without_a_page(port: int) -> None:
    assert get(port, "/healthz").status == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json"])
def test_what_streamlit_offers_to_machines_is_closed(port: int, path: str) -> None:
    assert get(port, path).status == 404


def test_a_page_is_not_given_out_under_a_foreign_name(port: int) -> None:
    with (
        socket.create_connection(("127.0.0.1", port)) as opened,
        pytest.raises(InvalidStatus) as refused,
        connect("ws://pages.attacker.example/_stcore/stream", sock=opened),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_the_options_that_guard_the_pages_are_set() -> None:
    file = Path(cryotrail_dashboards.__file__).parent / ".streamlit" / "config.toml"
    options = tomllib.loads(file.read_text(encoding="utf-8"))

    assert options["browser"]["gatherUsageStats"] is False
    assert options["client"]["showErrorDetails"] == "none"
    assert options["client"]["toolbarMode"] == "viewer"
    assert options["server"]["enableCORS"] is True
    assert options["server"]["enableXsrfProtection"] is True
    assert options["server"]["enableAgentApi"] is False


def test_a_port_in_use_is_refused_by_name(port: int, tmp_path: Path) -> None:
    publish(tmp_path, {})

    with pytest.raises(PortInUse, match=f"port {port} of 127.0.0.1"):
        serve(settings_of(tmp_path), port)


def test_without_a_publication_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished) as refusal:
        serve(settings_of(tmp_path), free_port())

    assert refusal.value.hint == "cryotrail warehouse refresh"


def test_a_server_that_ends_early_is_reported_at_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    began = time.monotonic()

    with pytest.raises(ServerFailed, match="status 3"):
        wait_until_ready(process, free_port(), timeout_s=30)

    assert time.monotonic() - began < 10


def test_a_server_started_by_hand_without_settings_says_how_to_start_it() -> None:
    with pytest.raises(DashboardError) as refusal:
        DashboardSettings.from_environment({})

    assert "cryotrail dashboard" in str(refusal.value.hint)


def test_settings_survive_the_way_through_the_environment(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)

    assert DashboardSettings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("0.0.0.0", "http://127.0.0.1:9000"),
        ("::", "http://[::1]:9000"),
    ],
)
def test_a_wildcard_is_reached_over_the_loopback(host: str, address: str) -> None:
    assert page_address(host, 9000) == address


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    publish(tmp_path / "warehouse", {})
    chosen = free_port()
    command = [sys.executable, "-m", "cryotrail.main", "dashboard", "--port", str(chosen)]
    running = subprocess.Popen(
        command,
        env={"CRYOTRAIL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    with running:
        assert running.stderr is not None
        said = next(line for line in running.stderr if b"pages at" in line)
        status = get(chosen, "/healthz").status
        running.terminate()
        code = running.wait(20)

    assert said.decode().strip() == f"pages at http://127.0.0.1:{chosen}"
    assert status == 200
    assert code == 0
    with pytest.raises(ConnectionRefusedError):
        get(chosen, "/healthz")


def test_the_command_teaches_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        dashboard.main(["--help"], load_settings({"CRYOTRAIL_HOME": str(tmp_path)}))

    assert ended.value.code == 0
    assert "--allowed-host" in capsys.readouterr().out
