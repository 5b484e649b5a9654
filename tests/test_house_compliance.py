"""Each test that the compliance table names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "docs" / "compliance.md"
NAMED = re.compile(r"`(test_\w+\.py)(?:::(test_\w+))?`")
WORDINGS = ("text", "second hand", "not verified", "-")


def rows() -> list[list[str]]:
    """The cells of each row of the tables, headings left out."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "requirement, in our words" and set(row[0]) != {"-"}]


@pytest.mark.parametrize(
    ("file", "function"), sorted(set(NAMED.findall(TABLE.read_text(encoding="utf-8"))))
)
def test_each_named_test_exists(file: str, function: str) -> None:
    found = TESTS / file

    assert found.exists(), file
    if function:
        assert re.search(rf"^def {function}\(", found.read_text(encoding="utf-8"), re.MULTILINE), (
            function
        )


def test_each_row_names_a_test_or_says_that_nothing_is_built() -> None:
    assert len(rows()) > 30
    for requirement, wording, control, test in rows():
        assert wording.split(",")[0] in WORDINGS, requirement
        assert control, requirement
        assert NAMED.search(test) or test == "not built", requirement
