"""Each promise has its test, and each test that is named is there, and named once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "PROMISES.md").read_text(encoding="utf-8").splitlines()
NAMED = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)+)`")
PROMISES = [line for line in LINES if line.startswith("| ") and line != "| promise | test |"]
TESTS = [named for line in PROMISES for named in NAMED.findall(line)]
PEOPLE = {"publisher", "quality officer", "analyst", "operator"}


@cache
def named_in(file: Path) -> frozenset[str]:
    """What a file has, ``::test_name`` or ``::TestClass::test_name``, without importing it."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    found = {f"::{each.name}" for each in functions(body)}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found |= {f"::{node.name}::{each.name}" for each in functions(node.body)}
    return frozenset(found)


def functions(body: list[ast.stmt]) -> list[ast.FunctionDef]:
    """The test functions among statements."""
    return [
        each for each in body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    ]


@pytest.mark.parametrize(("file", "test"), TESTS)
def test_each_named_test_exists(file: str, test: str) -> None:
    assert (ROOT / file).is_file()
    assert test in named_in(ROOT / file)


def test_each_promise_names_one_test() -> None:
    assert len(PROMISES) > 80
    assert [line for line in PROMISES if len(NAMED.findall(line)) != 1] == []


def test_no_test_stands_for_two_promises() -> None:
    assert [test for test, count in Counter(TESTS).items() if count > 1] == []


def test_there_is_a_part_for_each_of_the_four_people() -> None:
    addressed = {line.removeprefix("## To the ") for line in LINES if line.startswith("## To the ")}

    assert addressed == PEOPLE
    assert "## Not promised" in LINES
