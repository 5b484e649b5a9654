"""The image runs as a number, from pinned packages, and its scripts do what the services need."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    return re.findall(rf"^{name}\s+(.*)$", joined, re.MULTILINE)


def test_the_last_user_is_the_number_that_the_services_name() -> None:
    assert instructions("USER") == ["10001:10001"]
    own = [service for service in SERVICES.values() if service["image"].startswith("cryotrail:")]
    assert {service["user"] for service in own} == {"10001:10001"}


def test_what_builds_it_stays_out_of_it() -> None:
    build, final = instructions("FROM")
    assert build.endswith(" AS build") and final == build.removesuffix(" AS build")
    assert instructions("COPY")[-2] == "--from=build /opt/cryotrail /opt/cryotrail"


def test_every_package_is_installed_by_its_hash() -> None:
    installs = [
        part for run in instructions("RUN") for part in run.split("&&") if "install" in part
    ]
    packages = [part for part in installs if "pip install" in part]
    assert len(packages) == 2
    assert all("--require-hashes" in part or "--no-deps" in part for part in packages)


def test_every_folder_that_is_copied_exists_and_is_sent_to_the_build() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    for copied in instructions("COPY"):
        if copied.startswith("--"):
            continue
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.partition("/")[0] in sent, f"{source} is kept from the build"


def test_every_folder_that_a_volume_covers_belongs_to_the_user() -> None:
    made = " ".join(run for run in instructions("RUN") if "install -d -o 10001" in run).split()
    own = [service for service in SERVICES.values() if service["image"].startswith("cryotrail:")]
    targets = {volume.split(":")[1] for service in own for volume in service.get("volumes", [])}
    assert targets and targets <= set(made), "a new volume takes the owner of the folder it covers"


@pytest.fixture
def entry_point(tmp_path: Path) -> Path:
    script = re.search(r"<<'SCRIPT' \S+\n(.*?)^SCRIPT$", DOCKERFILE, re.DOTALL | re.MULTILINE)
    assert script is not None
    file = tmp_path / "with-database-password"
    file.write_text(script.group(1))
    file.chmod(stat.S_IRWXU)
    return file


@pytest.mark.parametrize("given", [True, False])
def test_the_entry_point_hands_the_password_to_libpq_and_nowhere_else(
    entry_point: Path, tmp_path: Path, given: bool
) -> None:
    password = tmp_path / "postgres_password"
    password.write_text("p ss'w$rd\n")
    environment = {"PATH": "/usr/bin:/bin"}
    if given:
        environment["DATABASE_PASSWORD_FILE"] = str(password)
    show = 'printf "%s|%s" "${PGPASSWORD-unset}" "$1"'
    result = subprocess.run(
        [entry_point, "sh", "-c", show, "sh", "one argument"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == ("p ss'w$rd|one argument" if given else "unset|one argument")


def test_a_password_file_that_is_not_there_stops_the_service(entry_point: Path) -> None:
    result = subprocess.run(
        [entry_point, "true"],
        env={"PATH": "/usr/bin:/bin", "DATABASE_PASSWORD_FILE": "/absent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "/absent" in result.stderr


class Pages(BaseHTTPRequestHandler):
    """Answers as every service does, with the status of its server."""

    def do_GET(self) -> None:
        healthy = self.server.healthy  # type: ignore[attr-defined]
        self.send_response(200 if healthy and self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize("service", ["recorder", "signer"])
def test_a_service_answers_where_its_health_is_asked(service: str) -> None:
    address = SERVICES[service]["environment"][f"CRYOTRAIL_{service.upper()}_HTTP"]
    assert address.endswith(":9464")
    assert "127.0.0.1:9464/healthz" in " ".join(SERVICES[service]["healthcheck"]["test"])


@pytest.fixture
def pages() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("healthy", [True, False])
@pytest.mark.parametrize(
    ("service", "port"), [("dashboard", 8501), ("recorder", 9464), ("signer", 9464)]
)
def test_the_health_check_of_a_service_sees_whether_it_is_well(
    pages: HTTPServer, service: str, port: int, healthy: bool
) -> None:
    pages.healthy = healthy  # type: ignore[attr-defined]
    kind, python, *arguments = SERVICES[service]["healthcheck"]["test"]
    assert (kind, python) == ("CMD", "python")
    here = [argument.replace(f":{port}", f":{pages.server_port}") for argument in arguments]
    assert here != arguments
    result = subprocess.run([sys.executable, *here], capture_output=True, check=False)
    assert (result.returncode == 0) is healthy
