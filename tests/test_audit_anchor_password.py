"""The password of a time-stamp authority's address is sent to it alone, and shown nowhere."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from audit_records import filled_store
from time_stamping import make_authority

from cryotrail.main import main
from cryotrail_audit.checkpoints.anchors.anchor import AnchorOptions, anchor_of
from cryotrail_audit.checkpoints.anchors.time_stamp import without_login
from cryotrail_audit.checkpoints.errors import CheckpointError

SECRET = "pa55-word"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://tsa.example/ts", ("https://tsa.example/ts", None)),
        (f"https://site:{SECRET}@tsa.example/ts", ("https://tsa.example/ts", f"site:{SECRET}")),
        ("https://site:p%40ss@tsa.example:8443/a@b", ("https://tsa.example:8443/a@b", "site:p@ss")),
        ("https://tsa.example?by=a@b", ("https://tsa.example?by=a@b", None)),
        (f"https://site:{SECRET}@[::1]:8443", ("https://[::1]:8443", f"site:{SECRET}")),
        ("nonsense", ("nonsense", None)),
    ],
    ids=["none", "login", "escaped", "query", "ipv6", "nonsense"],
)
def test_the_login_is_taken_out_of_the_address(url: str, parts: tuple[str, str | None]) -> None:
    assert without_login(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        f"https://site:{SECRET}/1@tsa.example/ts",
        f"https://site:{SECRET}#1@tsa.example/ts",
        f"https://site:{SECRET}?1@tsa.example/ts",
        f"https://site:{SECRET}@[tsa.example/ts",
    ],
    ids=["slash", "hash", "question", "bracket"],
)
def test_an_address_that_cannot_be_read_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(CheckpointError, match="cannot be read") as refused:
        anchor_of(f"rfc3161:{url}", AnchorOptions(Path("tokens")))

    assert refused.value.hint is not None and "%2F" in refused.value.hint
    assert SECRET not in f"{refused.value} {refused.value.hint}"
    assert refused.value.__cause__ is None


class Refusing(BaseHTTPRequestHandler):
    """Notes who asks, and answers that nobody may."""

    def do_POST(self) -> None:
        self.server.asked_as = self.headers["Authorization"]  # type: ignore[attr-defined]
        self.send_response(403)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def authority() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_is_sent_and_neither_remembered_nor_told(
    authority: HTTPServer,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"http://site:{SECRET}@127.0.0.1:{authority.server_port}/ts?key={SECRET}"
    home = tmp_path / "home"
    monkeypatch.setenv("CRYOTRAIL_HOME", str(home))
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_ANCHORS", f"rfc3161:{url}")
    monkeypatch.setenv("CRYOTRAIL_ANCHOR_TSA_CA_FILE", str(make_authority(tmp_path / "tsa")))
    filled_store(sqlite_url)
    assert main(["audit", "keys", "create"]) == 0
    assert main(["audit", "sign", "--once"]) == 0
    assert main(["audit", "anchor", "run"]) == 1
    assert main(["audit", "anchor", "status", "--json"]) == 0
    said = capsys.readouterr()

    login = b64encode(f"site:{SECRET}".encode()).decode()
    assert authority.asked_as == f"Basic {login}"  # type: ignore[attr-defined]
    assert f"rfc3161:http://127.0.0.1:{authority.server_port}/ts" in said.out
    assert "Forbidden" in said.out
    assert SECRET not in said.out + said.err
    assert SECRET not in (home / "signer" / "anchors.json").read_text()
