"""What a command makes in a home, and what it says when it may not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cryotrail.argument_types import port, seconds
from cryotrail.home_lock import alone_in


def cryotrail(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cryotrail.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
    )


def test_what_a_command_makes_is_not_for_everybody(tmp_path: Path) -> None:
    home = tmp_path / "home"

    assert cryotrail("audit", "init", CRYOTRAIL_HOME=str(home)).returncode == 0

    made = [home, *home.rglob("*")]
    assert home / "audit.sqlite3" in made
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO] == []


@pytest.mark.parametrize("command", [("kafka", "start"), ("demo", "--no-dashboard")])
def test_a_home_that_cannot_be_made_is_named_without_a_traceback(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")

    refused = cryotrail(*command, CRYOTRAIL_HOME=str(tmp_path / "file" / "home"))

    assert refused.returncode == 1
    assert str(tmp_path / "file") in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_misspelt_setting_is_said() -> None:
    said = cryotrail("config", CRYOTRAIL_HOEM="x").stderr

    assert "CRYOTRAIL_HOEM is no setting and was ignored; did you mean CRYOTRAIL_HOME?" in said
    assert "CRYOTRAIL_CHROMIUM" not in cryotrail("config", CRYOTRAIL_CHROMIUM="/x").stderr


def test_a_second_demonstration_waits_for_the_first(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from cryotrail.home_lock import alone_in\n"
        "with alone_in(Path(sys.argv[1])): print('alone', flush=True)"
    )
    with alone_in(tmp_path) as lock:
        second = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with second:
            assert second.stderr is not None and second.stdout is not None
            assert "another demo is at work" in second.stderr.readline()
            assert second.poll() is None
            lock.release()
            assert second.stdout.read() == "alone\n"


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", ""])
def test_a_port_is_a_number_that_can_be_listened_on(text: str) -> None:
    assert port("8501") == 8501
    with pytest.raises(Exception, match="is no port"):
        port(text)


@pytest.mark.parametrize("text", ["-3", "nan", "inf", "soon"])
def test_a_length_of_time_is_finite_and_not_below_zero(text: str) -> None:
    assert seconds("0.5") == 0.5
    with pytest.raises(Exception, match="is no length of time"):
        seconds(text)
