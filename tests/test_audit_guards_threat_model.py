"""The threat model names commands that there are, and a folder's promises that it still makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cryotrail.main import main

TEXT = (Path(__file__).parents[1] / "THREAT_MODEL.md").read_text(encoding="utf-8")
ACTIONS = sorted(set(re.findall(r"`cryotrail audit ([a-z-]+)", TEXT)))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_command_that_it_names_is_there(action, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["audit", action, "--help"])

    assert ended.value.code == 0
    said = capsys.readouterr().out
    named = re.findall(rf"`cryotrail audit {action}[^`]*?(--[a-z-]+)", TEXT)
    assert [option for option in named if option not in said] == []


def test_it_names_the_commands_that_an_operator_needs():
    assert {"init", "sign", "verify", "witness", "anchor", "origin", "reconcile"} <= set(ACTIONS)
