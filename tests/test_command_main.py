"""The command starts light, documents every subcommand and turns errors into plain words."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cryotrail.main import COMMANDS

README = Path(__file__).parents[1] / "README.md"


def cryotrail(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "cryotrail.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_teaches_itself(name: str) -> None:
    result = cryotrail(name, "--help")

    assert result.returncode == 0, result.stderr
    assert f"usage: cryotrail {name}" in result.stdout
    assert len(result.stdout.splitlines()) >= 6


def test_the_command_starts_without_what_the_extras_bring() -> None:
    heavy = "{'duckdb', 'sqlalchemy', 'streamlit', 'pandas', 'pyarrow', 'jgo', 'kafka'}"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys, cryotrail.main; print({heavy} & set(sys.modules))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (["audit", "verify"], "sqlalchemy", "audit"),
        (["warehouse", "refresh"], "duckdb", "warehouse"),
    ],
)
def test_a_missing_extra_is_named(
    arguments: list[str], package: str, extra: str, tmp_path: Path
) -> None:
    assert cryotrail("audit", "init", CRYOTRAIL_HOME=str(tmp_path)).returncode == 0
    hidden = f"import sys; sys.modules[{package!r}] = None; from cryotrail.main import main; "
    result = subprocess.run(
        [sys.executable, "-c", f"{hidden}sys.exit(main({arguments!r}))"],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"CRYOTRAIL_HOME": str(tmp_path)},
        check=False,
    )

    assert result.returncode == 2, result.stderr
    assert f"pip install 'cryotrail[{extra}]'" in result.stderr


def test_a_refusal_exits_1_and_says_what_to_do(tmp_path: Path) -> None:
    result = cryotrail("audit", "verify", CRYOTRAIL_HOME=str(tmp_path))

    assert result.returncode == 1
    assert "cryotrail audit:" in result.stderr
    assert "→" in result.stderr
    assert "Traceback" not in result.stderr


def test_wrong_usage_exits_2() -> None:
    assert cryotrail("no-such-command").returncode == 2
    assert cryotrail().returncode == 2


def test_config_prints_values_origins_and_no_password() -> None:
    url = "postgresql+psycopg://recorder:secret@127.0.0.1/cryotrail"
    result = cryotrail("config", "--json", CRYOTRAIL_AUDIT_URL=url)

    shown = json.loads(result.stdout)["CRYOTRAIL_AUDIT_URL"]
    assert shown == {
        "value": "postgresql+psycopg://recorder:***@127.0.0.1/cryotrail",
        "from": "environment",
    }
    assert "secret" not in cryotrail("config", CRYOTRAIL_AUDIT_URL=url).stdout


def test_the_readme_names_only_commands_that_exist() -> None:
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`|\$\()cryotrail ([a-z]+)", text, re.MULTILINE))

    assert {"demo", "audit", "warehouse", "kafka", "up", "config"} <= named
    assert named - set(COMMANDS) == set()
