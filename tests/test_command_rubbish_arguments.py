"""What a mistyped argument or a wrong file is answered with: a sentence, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryotrail.main import main
from cryotrail_audit.store import migrate

SUBJECT = "5f6f7d1e-4f0c-4b6e-9a51-7f8b6a0c2d11"
HUGE = "99999999999999999999999999"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.delenv("CRYOTRAIL_PERSONAL_KEK_FILE", raising=False)


@pytest.mark.parametrize("number", [HUGE, "-1", "1.5", "one"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["quarantine", "show"],
        ["quarantine", "replay"],
        ["conflicts", "show"],
        ["erase", "--basis", "a law", "--decided-by", "dpo-2", "--record"],
        ["hold", "release", SUBJECT, "--reason", "over", "--decided-by", "qa-1", "--hold"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_what_is_no_number_of_an_entry_is_wrong_usage(
    arguments: list[str], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", *arguments, number])
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "\x1b[2J", "long" * 200])
@pytest.mark.parametrize(
    "arguments",
    [
        ["hold", "set", SUBJECT, "--decided-by", "qa-1", "--reason"],
        ["hold", "set", SUBJECT, "--reason", "recall", "--decided-by"],
        ["erase", SUBJECT, "--decided-by", "dpo-2", "--basis"],
        ["revoke-key", "1f0c9a7be2d34455", "--reason"],
        ["register-key", "room.pem.pub", "--holder"],
    ],
    ids=lambda arguments: f"{arguments[0]} {arguments[-1]}",
)
def test_what_stands_in_the_log_for_good_is_one_line_that_says_something(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", *arguments, text])
    assert ended.value.code == 2
    assert "it stays in the log" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xd7\x00\xff binary"])
def test_a_file_that_is_no_warehouse_is_named(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.duckdb").write_bytes(content)

    assert main(["warehouse", "sql", "select 1", "--file", str(tmp_path / "no.duckdb")]) == 1
    assert "no.duckdb cannot be read" in capsys.readouterr().err


def test_a_settings_file_that_is_no_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xd7\x00\xff binary")
    monkeypatch.setenv("CRYOTRAIL_CONFIG", str(tmp_path / "settings.toml"))

    assert main(["config"]) == 1
    assert "settings.toml is not TOML" in capsys.readouterr().err
