"""An option that would not be heeded is refused, with what to do instead: never ignored."""

from __future__ import annotations

import pytest

from cryotrail.main import main

RESET = ["reset", "--to-start"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["record", "--http", "0", *RESET], "--http is of a recorder that runs, not of reset"),
        (
            ["record", "--give-up-after-s", "0", "shadow"],
            "--give-up-after-s is of a recorder that runs, not of shadow",
        ),
        (
            ["record", "--quarantine-unknown", *RESET],
            "--quarantine-unknown is of a recorder that runs, not of reset: leave it out",
        ),
        (
            ["record", "--until-caught-up", "shadow"],
            "--until-caught-up is of a recorder that runs, not of shadow: leave it out",
        ),
        (["record", "--json", *RESET], "behind the action: cryotrail record reset --json"),
        (["audit", "sign", "--once", "--http", "0"], "leave out --http or --once"),
        (["audit", "sign", "--adopt", "a.note", "--http", "0"], "leave out --http or --adopt"),
        (["warehouse", "refresh", "--http", "0"], "--http goes with --follow"),
        (["outbox", "send", "--http", "0"], "--http goes with --follow"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_is_wrong_usage_and_the_option_and_the_remedy_are_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
