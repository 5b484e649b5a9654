"""Signer and materialiser answer for themselves, and ``up`` says where everything answers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from audit_records import filled_store
from scraping import Scrape, standing
from signed_logs import SignedLog
from waiting import until

from cryotrail.main import main
from cryotrail_audit.checkpoints.keys import LogKey


@contextmanager
def service(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of ours with endpoints, and where it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cryotrail.main", *arguments, "--http", "0"],
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process, _address(process.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        process.wait(30)
        process.stderr.close()


def _address(said: IO[str]) -> str:
    for line in said:
        if found := re.search(r"health and metrics on (\S+)", line):
            return found[1]
    raise AssertionError("it ended without saying where it answers")


@pytest.fixture
def home(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    filled_store(sqlite_url)
    assert main(["audit", "keys", "create"]) == 0
    return tmp_path / "home"


def test_a_signer_says_when_it_last_found_the_log_as_it_knew_it(home: Path) -> None:
    with service("audit", "sign") as (_, url):
        name = "cryotrail_last_verify_timestamp_seconds"
        until(lambda: Scrape(url).value(name) is not None)
        assert Scrape(url).value("cryotrail_chain_verify_failures_total") == 0
        assert standing(f"{url}/healthz") == (200, {})
        assert standing(f"{url}/readyz") == (200, {})


def test_a_signer_that_refuses_the_log_counts_it_and_is_unready(
    home: Path, sqlite_url: str
) -> None:
    log = SignedLog(sqlite_url, home / "signer", LogKey.read(home / "signer" / "log.key"))
    log.sign()
    log.cut_to(2)
    with service("audit", "sign") as (_, url):
        name = "cryotrail_chain_verify_failures_total"
        until(lambda: (Scrape(url).value(name) or 0) > 0)
        status, reasons = standing(f"{url}/readyz")
        assert (status, list(reasons)) == (503, ["log"])
        assert "shorter than what was signed" in reasons["log"]
        assert standing(f"{url}/healthz") == (200, {})


def test_a_materialiser_says_how_old_the_marts_are(home: Path) -> None:
    with service("warehouse", "refresh", "--follow") as (_, url):
        name = "cryotrail_warehouse_age_seconds"
        until(lambda: Scrape(url).value(name) is not None, 60)
        assert (Scrape(url).value(name) or 0) < 30
        assert Scrape(url).value("cryotrail_warehouse_publication_no") == 1
        assert standing(f"{url}/readyz") == (200, {})


def test_an_address_that_is_none_is_an_error_and_nothing_runs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "sign", "--http", "somewhere"]) == 1
    assert "'somewhere' is no address for health and metrics" in capsys.readouterr().err


@pytest.mark.timeout(240)
def test_up_says_where_each_of_its_parts_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    process = subprocess.Popen(
        [sys.executable, "-m", "cryotrail.main", "up", "--no-dashboard"],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    addresses: dict[str, str] = {}
    try:
        while len(addresses) < 4:
            line = process.stderr.readline()
            assert line, "it ended"
            if found := re.match(r"(\w+) runs .*health and metrics on ([^,]+),", line):
                addresses[found[1]] = found[2]
        assert set(addresses) == {"sender", "recorder", "signer", "materialiser"}
        for address in addresses.values():
            until(lambda address=address: _is_ready(address), 60)  # type: ignore[misc]
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        process.stderr.close()
        assert process.wait(60) == 0


def _is_ready(address: str) -> bool:
    try:
        return standing(f"{address}/readyz") == (200, {})
    except OSError:
        return False  # it has not begun to listen
