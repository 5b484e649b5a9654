"""A key file that was mistaken for another is named, and nothing of it is printed."""

import secrets
from base64 import b64encode

import pytest
from audit_records import filled_store
from exported_bundles import load_verifier
from signed_logs import ORIGIN

from cryotrail.main import main
from cryotrail_audit.checkpoints.errors import KeyRefused
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey

COMMANDS = {
    "verify": ["verify"],
    "export": ["export", "CRYO-0001", "--output", "bundle"],
    "witness": ["witness", "--once"],
    "prove": ["prove", "01997b6e-8d4b-7c11-b1c3-2f1d8a4e5f60", "--output", "x.tlog-proof"],
}

SECRET = b64encode(secrets.token_bytes(33)).decode()


def pieces(text):
    """Every eight characters in a row that could give something of a key away."""
    return {text[at : at + 8] for at in range(len(text) - 7)}


@pytest.fixture
def key_file(tmp_path):
    """The private key of a log."""
    file = tmp_path / "log.key"
    file.write_text(LogKey.create(ORIGIN).to_text())
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("command", COMMANDS)
def test_a_private_key_is_named_and_not_printed(
    sqlite_url, key_file, monkeypatch, tmp_path, capsys, command
):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    filled_store(sqlite_url)
    if command == "witness":
        assert main(["audit", "keys", "create", "--witness", "witness.example/quality"]) == 0
        capsys.readouterr()

    assert main(["audit", *COMMANDS[command], "--log-key", str(key_file)]) == 1

    said = "".join(capsys.readouterr())
    assert "is a private key" in said
    assert not any(
        piece in said for line in key_file.read_text().split() for piece in pieces(line[-44:])
    )


@pytest.mark.parametrize("text", [
    f"{SECRET}\n",
    f"name+{SECRET}\n",
    f"name+01234567+{SECRET}\n",
    f"{SECRET}+{SECRET}+{SECRET}\n",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n",
], ids=["bare", "named", "numbered", "three", "pem"])  # fmt: skip
def test_nothing_of_a_file_that_is_no_key_is_quoted(tmp_path, text):
    file = tmp_path / "some.file"
    file.write_text(text)
    verifier = load_verifier()
    with pytest.raises(KeyRefused) as refused:
        PinnedKey.read(file)
    with pytest.raises(verifier.Refused) as refused_by_verifier:
        verifier.parse_log_key("the given log key", text.encode())

    for said in (refused, refused_by_verifier):
        assert not any(piece in str(said.value) for piece in pieces(SECRET))


def test_the_bundles_verifier_says_that_it_is_a_private_key(key_file):
    verifier = load_verifier()
    with pytest.raises(verifier.Refused, match="this is a private key"):
        verifier.parse_log_key("the given log key", key_file.read_bytes())
