"""A command loads only what it needs: it starts at once, and without the extras of the others."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("command", "others"),
    [
        (["audit"], {"kafka", "duckdb", "streamlit"}),
        (["record", "reset"], {"prometheus_client", "duckdb", "streamlit"}),
        (["config"], {"kafka", "sqlalchemy", "duckdb", "streamlit", "prometheus_client"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_loads_nothing_of_the_others(command: list[str], others: set[str]) -> None:
    program = (
        "import sys; from cryotrail.main import main\n"
        f"try: main({[*command, '--help']})\n"
        f"finally: sys.stderr.write(str(sorted({others} & set(sys.modules))))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.stderr == "[]", result.stderr
